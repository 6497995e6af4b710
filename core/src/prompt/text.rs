//! [`Text`]: a string that knows which of its bytes an author wrote and which came in as a value.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer};

/// A string whose every byte has an origin: it was written by an **author** (of a prompt file, or of a chat
/// template), or it is **sealed**: it came in as a value, and must never become control.
///
/// The origin goes with the bytes through everything that makes one text of others: a slice of a sealed text
/// is sealed, and so is its upper case. Two texts are equal if their bytes and the origins of these are.
/// Deserialized text is sealed.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text {
    text: String,
    /// What is sealed: sorted, not empty, neither overlapping nor touching, at boundaries of characters.
    sealed: Vec<Range<usize>>,
}

impl Text {
    /// No text.
    pub const fn new() -> Self {
        Self { text: String::new(), sealed: Vec::new() }
    }

    /// A text that an author wrote.
    pub fn author(text: impl Into<String>) -> Self {
        Self { text: text.into(), sealed: Vec::new() }
    }

    /// A text that is a value.
    pub fn sealed(text: impl Into<String>) -> Self {
        let mut text = Self::author(text);
        text.seal(0..text.len());
        text
    }

    /// The text without the origins.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The ranges of bytes that are sealed: in order, none empty, with bytes of an author between any two, at
    /// boundaries of characters.
    pub fn sealed_ranges(&self) -> &[Range<usize>] {
        &self.sealed
    }

    /// Whether any byte is sealed.
    pub fn has_sealed(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Whether the byte at `index` is sealed. There is none behind the end.
    pub fn is_sealed(&self, index: usize) -> bool {
        let next = self.sealed.partition_point(|range| range.end <= index);
        self.sealed.get(next).is_some_and(|range| range.start <= index)
    }

    /// The longest pieces of one origin, in order, each with whether it is sealed.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        let ends = self.sealed.iter().flat_map(|range| [(range.start, false), (range.end, true)]);
        let mut start = 0;
        ends.chain([(self.len(), false)]).filter_map(move |(end, sealed)| {
            let piece = &self.text[start..end];
            start = end;
            (!piece.is_empty()).then_some((piece, sealed))
        })
    }

    /// The characters, each with whether it is sealed.
    pub fn chars(&self) -> impl Iterator<Item = (char, bool)> {
        self.pieces().flat_map(|(piece, sealed)| piece.chars().map(move |character| (character, sealed)))
    }

    /// Appends `text`, which is sealed or not.
    pub fn push(&mut self, text: &str, sealed: bool) {
        let start = self.len();
        self.text.push_str(text);
        if sealed {
            self.seal(start..self.len());
        }
    }

    /// Appends what an author wrote.
    pub fn push_author(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a value.
    pub fn push_sealed(&mut self, text: &str) {
        self.push(text, true);
    }

    /// Appends one character.
    pub fn push_char(&mut self, character: char, sealed: bool) {
        self.push(character.encode_utf8(&mut [0; 4]), sealed);
    }

    /// Appends a text with its origins.
    pub fn push_text(&mut self, other: &Self) {
        let start = self.len();
        self.text.push_str(&other.text);
        for range in &other.sealed {
            self.seal(start + range.start..start + range.end);
        }
    }

    /// Appends the bytes in `range` of a text, with their origins.
    ///
    /// # Panics
    /// If the range is not within `other`, or an end of it is not a boundary of characters.
    pub fn push_slice(&mut self, other: &Self, range: Range<usize>) {
        let start = self.len();
        self.text.push_str(&other.text[range.clone()]);
        let first = other.sealed.partition_point(|sealed| sealed.end <= range.start);
        for sealed in other.sealed[first..].iter().take_while(|sealed| sealed.start < range.end) {
            let (from, to) = (sealed.start.max(range.start), sealed.end.min(range.end));
            self.seal(start + from - range.start..start + to - range.start);
        }
    }

    /// The bytes in `range`, with their origins.
    ///
    /// # Panics
    /// If the range is not within the text, or an end of it is not a boundary of characters.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut slice = Self::new();
        slice.push_slice(self, range);
        slice
    }

    /// The text, without the origins.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Room for as many bytes, so that they can be appended without moving the text.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), sealed: Vec::new() }
    }

    /// Notes that the last bytes are sealed.
    fn seal(&mut self, range: Range<usize>) {
        match self.sealed.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.sealed.push(range),
        }
    }
}

/// Shows sealed pieces between `⟦` and `⟧`.
impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::with_capacity(self.len());
        for (piece, sealed) in self.pieces() {
            let (open, close) = if sealed { ("⟦", "⟧") } else { ("", "") };
            shown.extend([open, piece, close]);
        }
        fmt::Debug::fmt(&shown, formatter)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::sealed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mixed(pieces: &[(String, bool)]) -> Text {
        let mut text = Text::new();
        for (piece, sealed) in pieces {
            text.push(piece, *sealed);
        }
        text
    }

    #[test]
    fn pieces_keep_their_origin() {
        let mut text = Text::author("a");
        text.push_sealed("bé");
        text.push_sealed("");
        text.push_sealed("c");
        text.push_author("d");
        text.push_text(&Text::sealed("e"));
        assert_eq!(text.as_str(), "abécde");
        assert_eq!(text.sealed_ranges(), [1..5, 6..7]);
        assert_eq!(
            text.pieces().collect::<Vec<_>>(),
            [("a", false), ("béc", true), ("d", false), ("e", true)]
        );
        assert_eq!(text.slice(4..7).sealed_ranges(), [0..1, 2..3]);
        assert_eq!(format!("{:?}", text.slice(0..2)), "\"a⟦b⟧\"");
        assert!(!text.is_sealed(0) && text.is_sealed(1) && !text.is_sealed(5) && !text.is_sealed(7));
        assert_ne!(Text::author("x"), Text::sealed("x"));
        assert_eq!(Text::author(""), Text::sealed(""));
        assert_eq!(serde_json::from_str::<Text>("\"x\"").unwrap(), Text::sealed("x"));
    }

    proptest! {
        #[test]
        fn what_is_put_together_is_what_was_put_in(
            pieces in prop::collection::vec(("[aé🦀]{0,4}", any::<bool>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let text = mixed(&pieces);
            let origins: Vec<(char, bool)> = pieces
                .iter()
                .flat_map(|(piece, sealed)| piece.chars().map(|character| (character, *sealed)))
                .collect();
            prop_assert_eq!(text.chars().collect::<Vec<_>>(), origins);
            let ranges = text.sealed_ranges();
            prop_assert!(ranges.iter().all(|range| !range.is_empty()));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
            for (index, _) in text.as_str().char_indices() {
                let within = ranges.iter().any(|range| range.contains(&index));
                prop_assert_eq!(text.is_sealed(index), within);
            }
            let boundaries: Vec<usize> =
                text.as_str().char_indices().map(|(index, _)| index).chain([text.len()]).collect();
            let cut = boundaries[cut.index(boundaries.len())];
            let mut joined = text.slice(0..cut);
            joined.push_text(&text.slice(cut..text.len()));
            prop_assert_eq!(joined, text);
        }
    }
}
