//! From the bytes of tokens to text that can be shown: whole UTF-8, and never a part of a stop text.

/// Gathers bytes and lets text out as soon as nothing can take it back.
#[derive(Debug)]
pub(super) struct TextGate {
    stops: Vec<Vec<u8>>,
    /// Bytes that are held back: an unfinished character, or what may become a stop text.
    held: Vec<u8>,
}

/// What came out of the gate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Released {
    pub text: String,
    /// A stop text appeared; the text ends before it.
    pub stopped: bool,
}

impl TextGate {
    /// Empty stop texts never match.
    pub fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).map(|stop| stop.clone().into_bytes());
        Self { stops: stops.collect(), held: Vec::new() }
    }

    /// Adds the bytes of a token.
    pub fn push(&mut self, bytes: &[u8]) -> Released {
        // Byte by byte, so that the stop text that is complete first wins, however tokens are cut.
        let mut ready = Vec::new();
        for &byte in bytes {
            self.held.push(byte);
            if let Some(start) = self.match_at_end() {
                ready.extend_from_slice(&self.held[..start]);
                self.held.clear();
                return Released { text: lossy(&ready), stopped: true };
            }
        }
        let keep = self.possible_stop().max(unfinished_character(&self.held));
        let ready: Vec<u8> = self.held.drain(..self.held.len() - keep).collect();
        Released { text: lossy(&ready), stopped: false }
    }

    /// The text that was held back, at the end of a generation.
    pub fn finish(&mut self) -> String {
        lossy(&std::mem::take(&mut self.held))
    }

    /// Where the longest stop text starts that the held bytes end with.
    fn match_at_end(&self) -> Option<usize> {
        let lengths = self.stops.iter().filter(|stop| self.held.ends_with(stop)).map(Vec::len);
        lengths.max().map(|length| self.held.len() - length)
    }

    /// The length of the longest end of the held bytes that begins a stop text. An end that starts
    /// inside a character is no danger: text and stops are both UTF-8, so it would not match there.
    fn possible_stop(&self) -> usize {
        let longest = |stop: &Vec<u8>| {
            let most = (stop.len() - 1).min(self.held.len());
            (1..=most).rev().find(|&length| self.held.ends_with(&stop[..length])).unwrap_or(0)
        };
        self.stops.iter().map(longest).max().unwrap_or(0)
    }
}

/// The length of a character at the end of `bytes` that more bytes may finish, 0 to 3.
fn unfinished_character(bytes: &[u8]) -> usize {
    for length in 1..=bytes.len().min(3) {
        let tail = &bytes[bytes.len() - length..];
        if tail[0] & 0b1100_0000 == 0b1000_0000 {
            continue;
        }
        let error = std::str::from_utf8(tail).err();
        return if error.is_some_and(|error| error.error_len().is_none()) { length } else { 0 };
    }
    0
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(stops: &[&str], pieces: &[&[u8]]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut gate = TextGate::new(&stops);
        let mut out = Vec::new();
        for piece in pieces {
            let released = gate.push(piece);
            out.push(released.text);
            if released.stopped {
                return (out, true);
            }
        }
        out.push(gate.finish());
        (out, false)
    }

    #[test]
    fn holds_back_what_may_become_a_stop_text() {
        let (out, stopped) = run(&["END"], &[b"a", b"E", b"N", b"x", b"EN", b"D", b"never"]);
        assert_eq!(out, ["a", "", "", "ENx", "", ""]);
        assert!(stopped);
    }

    #[test]
    fn the_first_complete_stop_text_wins() {
        assert_eq!(run(&["abc", "b"], &[b"xabc"]), (vec!["xa".into()], true));
        assert_eq!(run(&["bc", "abc"], &[b"xabc"]), (vec!["x".into()], true));
        assert_eq!(run(&["", "b"], &[b"ab"]), (vec!["a".into()], true));
    }

    #[test]
    fn releases_whole_characters_only() {
        let (out, _) = run(&[], &[&[0xF0, 0x9F], &[0x98], &[0x80, b'!'], &[0xE2, 0x82]]);
        assert_eq!(out, ["", "", "😀!", "", "\u{FFFD}"]);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced_and_do_not_stick() {
        let (out, _) = run(&[], &[&[0xFF], &[0x80, 0x80, 0x80, 0x80], b"a"]);
        assert_eq!(out.concat(), "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}a");
    }

    /// The text before the stop text that is complete first, by trying every end.
    fn naive(stops: &[String], text: &str) -> (String, bool) {
        for end in 0..=text.len() {
            let head = &text.as_bytes()[..end];
            let found = stops.iter().filter(|s| !s.is_empty() && head.ends_with(s.as_bytes()));
            if let Some(longest) = found.map(String::len).max() {
                return (text[..end - longest].to_owned(), true);
            }
        }
        (text.to_owned(), false)
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            text in "[abé😀]{0,24}",
            stops in prop::collection::vec("[abé😀]{0,4}", 0..4),
            cuts in prop::collection::vec(1usize..5, 1..40),
        ) {
            let mut gate = TextGate::new(&stops);
            let (mut out, mut stopped, mut rest) = (String::new(), false, text.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() || stopped { break; }
                let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                let released = gate.push(piece);
                out += &released.text;
                stopped = released.stopped;
                rest = tail;
            }
            if !stopped { out += &gate.finish(); }
            prop_assert_eq!((out, stopped), naive(&stops, &text));
        }
    }
}
