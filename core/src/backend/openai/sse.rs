//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>, section 9.2.6), as far
//! as answers need them: the data of each event.

/// The most bytes of one line, and of the data of one event.
const LIMIT: usize = 8 << 20;

/// Reads a stream of events, however its bytes are cut.
#[derive(Debug, Default)]
pub struct EventStream {
    /// The line that is not whole yet.
    line: Vec<u8>,
    data: Option<String>,
    started: bool,
    /// The byte before was a carriage return, which a line feed may belong to.
    returned: bool,
}

impl EventStream {
    /// The start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes, and appends the data of the events that are whole now to `events`.
    ///
    /// # Errors
    /// What is wrong with the stream: a line or an event above 8 MiB, or one that is not UTF-8.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<String>) -> Result<(), &'static str> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.returned)
                && let Some(after) = rest.strip_prefix(b"\n")
            {
                rest = after;
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, ending) = rest.split_at(end.unwrap_or(rest.len()));
            if self.line.len() + part.len() > LIMIT {
                return Err("a line of its stream has more than 8 MiB");
            }
            self.line.extend_from_slice(part);
            rest = ending;
            if let Some((ending, after)) = rest.split_first() {
                self.returned = *ending == b'\r';
                rest = after;
                self.line_ends(events)?;
            }
        }
        Ok(())
    }

    fn line_ends(&mut self, events: &mut Vec<String>) -> Result<(), &'static str> {
        let bytes = std::mem::take(&mut self.line);
        let mut line = std::str::from_utf8(&bytes).map_err(|_| "its stream is not UTF-8")?;
        if !std::mem::replace(&mut self.started, true) {
            line = line.strip_prefix('\u{FEFF}').unwrap_or(line);
        }
        if line.is_empty() {
            events.extend(self.data.take());
            return Ok(());
        }
        // A line that begins with a colon is a comment; of the fields only the data matters here.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field != "data" {
            return Ok(());
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut self.data {
            None => self.data = Some(value.to_owned()),
            Some(data) if data.len() + value.len() >= LIMIT => {
                return Err("an event of its stream has more than 8 MiB");
            }
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        }
        Ok(())
    }

    /// The data of an event whose lines are whole, but which no empty line ends: the standard drops it, some
    /// servers end their last event so.
    pub fn finish(&mut self) -> Option<String> {
        self.data.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let (mut stream, mut events) = (EventStream::new(), Vec::new());
        stream.push(bytes, &mut events).unwrap();
        events.extend(stream.finish());
        events
    }

    #[test]
    fn fields_endings_and_comments() {
        let text = "\u{FEFF}: hello\r\ndata: a\r\ndata:b\rdata\n\nevent: x\nid: 1\nretry: 5\ndata:  c\n\n\n\ndata: {\"d\"}\n";
        assert_eq!(read(text.as_bytes()), ["a\nb\n", " c", "{\"d\"}"]);
        assert_eq!(read(b"data: x"), [""; 0]);
        assert_eq!(read(b"datax: x\n\n: data: y\n\n"), [""; 0]);
    }

    #[test]
    fn limits_hold() {
        let mut events = Vec::new();
        let long = vec![b'x'; LIMIT];
        let mut stream = EventStream::new();
        stream.push(&long, &mut events).unwrap();
        assert!(stream.push(b"y", &mut events).unwrap_err().contains("8 MiB"));
        let mut stream = EventStream::new();
        let line = [b"data: ".as_slice(), &long[..LIMIT / 2], b"\n"].concat();
        stream.push(&line, &mut events).unwrap();
        assert!(stream.push(&line, &mut events).unwrap_err().contains("8 MiB"));
        assert!(EventStream::new().push(b"data: \xff\n", &mut events).is_err());
        assert!(events.is_empty());
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            lines in prop::collection::vec("(data: ?[aé🦀:]{0,5}|: c|event: x||id)", 0..12),
            endings in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", "\r"]), 12),
            cuts in prop::collection::vec(1usize..5, 1..20),
        ) {
            let text: String = lines.iter().zip(&endings).flat_map(|(line, ending)| [line.as_str(), ending]).collect();
            let (mut stream, mut events, mut rest) = (EventStream::new(), Vec::new(), text.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                stream.push(piece, &mut events).unwrap();
                rest = tail;
            }
            events.extend(stream.finish());
            prop_assert_eq!(events, read(text.as_bytes()));
        }
    }
}
