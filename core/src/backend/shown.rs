//! What of an answer is shown as it comes, and what of it are calls of tools.

use super::calls::{CallSyntax, Found};
use super::tools::Tools;
use crate::error::{Error, Result};
use crate::prompt::{Text, ToolCall};
use crate::runtime::{Chunk, FinishReason};
use crate::vocabulary::Vocabulary;

/// Collects an answer and shows its text; the calls of tools are held back.
pub(super) struct Shown<'a> {
    syntax: Option<&'a CallSyntax>,
    vocabulary: &'a Vocabulary,
    show: &'a mut dyn FnMut(&str),
    text: String,
    /// The bytes of the answer with those of control tokens, and whether a reader sees them.
    pieces: Vec<(Vec<u8>, bool)>,
    /// Bytes of the visible text that were shown.
    shown: usize,
}

impl<'a> Shown<'a> {
    /// Without a syntax all is text.
    pub(super) fn new(
        syntax: Option<&'a CallSyntax>,
        vocabulary: &'a Vocabulary,
        show: &'a mut dyn FnMut(&str),
    ) -> Self {
        Self { syntax, vocabulary, show, text: String::new(), pieces: Vec::new(), shown: 0 }
    }

    pub(super) fn push(&mut self, chunk: &Chunk) {
        self.text += &chunk.text;
        let Some(syntax) = self.syntax else {
            (self.show)(&chunk.text);
            return;
        };
        for generated in &chunk.tokens {
            let bytes = self.vocabulary.bytes(generated.token);
            let visible = !self.vocabulary.visible_bytes(generated.token).is_empty();
            match self.pieces.last_mut() {
                Some((last, same)) if *same == visible => last.extend_from_slice(bytes),
                _ => self.pieces.push((bytes.to_vec(), visible)),
            }
        }
        let spelled = self.spelled();
        let safe = visible(&spelled.slice(0..syntax.safe(spelled.as_str())));
        // What may become a stop text is not in the text yet; what is not a whole character either.
        let safe = safe.strip_prefix(syntax.before_text()).unwrap_or(&safe).len();
        let text = self.own_text();
        let end = safe.min(text.len());
        if end > self.shown && text.is_char_boundary(end) {
            let piece = text[self.shown..end].to_owned();
            (self.show)(&piece);
            self.shown = end;
        }
    }

    /// The whole text and the calls.
    pub(super) fn finish(
        self,
        tools: &Tools,
        stop: &[String],
        finish: FinishReason,
    ) -> Result<(String, Vec<ToolCall>)> {
        let Some(syntax) = self.syntax else { return Ok((self.text, Vec::new())) };
        let mut spelled = self.spelled();
        if finish == FinishReason::Stop {
            let ends =
                stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| spelled.as_str().find(stop));
            let end = ends.min().unwrap_or(spelled.len());
            spelled = spelled.slice(0..end);
        }
        let schemas =
            |name: &str, key: &str| tools.get(name)?.parameters.get("properties")?.get(key).cloned();
        let bad = |reason: String| {
            let cut = if finish == FinishReason::Length { "; the length was reached" } else { "" };
            Error::BadOutput { reason: reason + cut, text: spelled.as_str().to_owned() }
        };
        let found = syntax.parse(spelled.as_str(), &schemas).map_err(bad)?;
        let (text, calls) = match found {
            None => (self.own_text().to_owned(), Vec::new()),
            Some(Found { start, end, calls }) => {
                let before = visible(&spelled.slice(0..start)).trim_end().to_owned();
                let after = visible(&spelled.slice(end..spelled.len()));
                let between = if before.is_empty() || after.is_empty() { "" } else { "\n" };
                (before + between + &after, calls)
            }
        };
        let checked = calls.into_iter().map(|call| tools.call(call.id, &call.name, call.arguments));
        let calls = checked.collect::<Result<Vec<_>, _>>().map_err(bad)?;
        if let Some(rest) = text.get(self.shown..).filter(|rest| !rest.is_empty()) {
            (self.show)(rest);
        }
        Ok((text, calls))
    }

    /// The visible text, without what the template writes before every text.
    fn own_text(&self) -> &str {
        let before = self.syntax.map_or("", CallSyntax::before_text);
        self.text.strip_prefix(before).unwrap_or(&self.text)
    }

    /// All that was written; what a reader sees of it is sealed, what control tokens spell is not.
    fn spelled(&self) -> Text {
        let mut text = Text::new();
        for (bytes, visible) in &self.pieces {
            text.push(&String::from_utf8_lossy(bytes), *visible);
        }
        text
    }
}

fn visible(text: &Text) -> String {
    text.pieces().filter(|(_, visible)| *visible).map(|(piece, _)| piece).collect()
}
