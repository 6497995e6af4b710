//! Finds all occurrences of many strings in a text.

use std::ops::Range;

use aho_corasick::AhoCorasick;

use crate::error::{Error, Result};

/// Strings that are searched at once.
#[derive(Debug, Clone)]
pub(super) struct Search(AhoCorasick);

impl Search {
    /// A search for `strings`, of which none is empty.
    pub fn new<'a>(strings: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let search = AhoCorasick::new(strings);
        search.map(Self).map_err(|error| Error::engine(format!("special tokens: {error}")))
    }

    /// The range and the number of each occurrence, also of those that overlap: in the order of their starts, the
    /// shorter first.
    pub fn find(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let matches = self.0.find_overlapping_iter(text);
        let mut found: Vec<_> = matches.map(|found| (found.range(), found.pattern().as_usize())).collect();
        found.sort_unstable_by_key(|(range, number)| (range.start, range.end, *number));
        found
    }
}
