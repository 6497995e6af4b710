//! What is wrong with a lock file, and where.

use std::path::Path;

use crate::error::Error;

/// What is wrong, at a byte of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub at: usize,
    pub reason: String,
}

pub(super) type Parsed<T> = Result<T, Fault>;

impl Fault {
    pub fn new(at: usize, reason: impl Into<String>) -> Self {
        Self { at, reason: reason.into() }
    }

    /// The same for a caller: bytes become a line and a column of `text`.
    pub fn of(self, path: &Path, text: &str) -> Error {
        let (line, column) = position(text, self.at);
        Error::BadLock { path: path.to_owned(), line, column, reason: self.reason }
    }
}

/// The line and the column, in Unicode scalars, of a byte; both from 1. A byte-order mark takes no column.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let start = before.rfind('\n').map_or(0, |place| place + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    (line, before[start..].trim_start_matches('\u{feff}').chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_scalars_from_one() {
        let text = "\u{feff}a = 1\r\né = \"ö\" # x\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 3), (1, 1));
        assert_eq!(position(text, 7), (1, 5));
        let second = text.find('é').expect("is there");
        assert_eq!(position(text, second), (2, 1));
        assert_eq!(position(text, second + 1), (2, 1), "inside of a character");
        assert_eq!(position(text, text.find('ö').expect("is there")), (2, 6));
        assert_eq!(position(text, text.len()), (3, 1));
        assert_eq!(position(text, usize::MAX), (3, 1));
        assert_eq!(position("", 0), (1, 1));
    }
}
