//! What a template writes: text with its origins, and marks that are no text, so that no value can forge one.

use crate::prompt::conversation::Role;
use crate::prompt::text::Text;

/// Bytes that a template may write.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// A piece of what a template writes, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Text(Text),
    /// Here starts a message.
    Role(Role),
    /// Here stand the turns before.
    History,
    Media {
        url: Text,
        content_type: Option<Text>,
    },
    Section(Text),
}

#[derive(Debug, Default)]
pub(super) struct Output {
    events: Vec<Event>,
    bytes: usize,
    /// What stands before each line, put together from all partials around.
    indent: String,
    /// Whether the next text starts a line that is to be indented.
    line_starts: bool,
}

/// There is more than may be written.
#[derive(Debug)]
pub(super) struct TooLong;

impl Output {
    /// What an author wrote: its lines are indented.
    pub fn author(&mut self, text: &str) -> Result<(), TooLong> {
        if self.indent.is_empty() {
            return self.push(text, false);
        }
        for line in text.split_inclusive('\n') {
            self.start_line()?;
            self.push(line, false)?;
            self.line_starts = line.ends_with('\n');
        }
        Ok(())
    }

    /// A value: written as it is.
    pub fn text(&mut self, text: &Text) -> Result<(), TooLong> {
        if text.is_empty() {
            return Ok(());
        }
        self.start_line()?;
        self.count(text.len())?;
        self.last().push_text(text);
        Ok(())
    }

    pub fn event(&mut self, event: Event) -> Result<(), TooLong> {
        let texts = match &event {
            Event::Media { url, content_type } => url.len() + content_type.as_ref().map_or(0, Text::len),
            Event::Section(name) => name.len(),
            _ => 0,
        };
        self.count(texts + 16)?;
        self.events.push(event);
        Ok(())
    }

    /// Indents what follows; gives what is to be restored.
    pub fn indent(&mut self, indent: &str) -> (usize, bool) {
        let before = (self.indent.len(), self.line_starts);
        if !indent.is_empty() {
            self.indent.push_str(indent);
            self.line_starts = true;
        }
        before
    }

    pub fn restore(&mut self, (length, line_starts): (usize, bool)) {
        self.indent.truncate(length);
        self.line_starts = line_starts && length > 0;
    }

    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    fn start_line(&mut self) -> Result<(), TooLong> {
        if std::mem::take(&mut self.line_starts) {
            let indent = self.indent.clone();
            self.push(&indent, false)?;
        }
        Ok(())
    }

    fn push(&mut self, text: &str, sealed: bool) -> Result<(), TooLong> {
        self.count(text.len())?;
        self.last().push(text, sealed);
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), TooLong> {
        self.bytes += bytes;
        if self.bytes > MAX_BYTES { Err(TooLong) } else { Ok(()) }
    }

    fn last(&mut self) -> &mut Text {
        if !matches!(self.events.last(), Some(Event::Text(_))) {
            self.events.push(Event::Text(Text::new()));
        }
        match self.events.last_mut() {
            Some(Event::Text(text)) => text,
            _ => unreachable!("a text was put there"),
        }
    }
}
