//! The text of a prompt file: where its parts are, and the places of faults in it.

use std::ops::Range;
use std::path::PathBuf;

use crate::error::Error;
use crate::spelling::distance;

/// Bytes of a file at most.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// A place in a file: line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub line: usize,
    /// In Unicode scalars.
    pub column: usize,
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub place: Place,
    pub reason: String,
}

pub(crate) type Parsed<T> = Result<T, Fault>;

impl Fault {
    pub fn new(place: Place, reason: impl Into<String>) -> Self {
        Self { place, reason: reason.into() }
    }

    pub fn in_file(self, path: impl Into<PathBuf>) -> Error {
        let Place { line, column } = self.place;
        Error::BadPrompt { path: path.into(), line, column, reason: self.reason }
    }
}

/// A file: a prompt or a partial.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub path: PathBuf,
    pub text: String,
    /// Where the lines start.
    lines: Vec<usize>,
}

impl Source {
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Result<Self, Error> {
        let (path, text) = (path.into(), text.into());
        let lines = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        if text.len() > MAX_BYTES {
            let reason = format!("the file is too long: a prompt has {} KiB at most", MAX_BYTES >> 10);
            return Err(Fault::new(Place { line: 1, column: 1 }, reason).in_file(path));
        }
        Ok(Self { path, text, lines })
    }

    /// The place of a byte.
    pub fn place(&self, at: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines[line - 1];
        let before = self.text.get(start..at).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }
}

/// The parts of a prompt file, as ranges of its bytes.
pub(crate) struct Split {
    /// The YAML between the lines `---`.
    pub front: Option<Range<usize>>,
    pub body: Range<usize>,
}

/// Finds the front matter. As in Dotprompt, comments (`#`) and empty lines may stand before it, and the body
/// behind it is trimmed.
pub(crate) fn split(text: &str) -> Parsed<Split> {
    // A byte order mark, as some editors write it, is no part of the text.
    let first = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut lines = text[first..].split_inclusive('\n').scan(first, |end, line| {
        let start = *end;
        *end += line.len();
        Some((start, *end, line))
    });
    let opening = lines
        .by_ref()
        .enumerate()
        .find(|(_, (_, _, line))| !line.trim().is_empty() && !line.starts_with('#'));
    let Some((index, (_, start, _))) = opening.filter(|(_, (_, _, line))| is_fence(line)) else {
        return Ok(Split { front: None, body: first..text.len() });
    };
    match lines.find(|(_, _, line)| is_fence(line)) {
        Some((end, body, _)) => {
            let trimmed = text[body..].trim();
            let from = text.len() - text[body..].trim_start().len();
            Ok(Split { front: Some(start..end), body: from..from + trimmed.len() })
        }
        None => {
            let place = Place { line: index + 1, column: 1 };
            Err(Fault::new(place, "the front matter is not closed: a line `---` must follow it"))
        }
    }
}

fn is_fence(line: &str) -> bool {
    line.trim_end() == "---"
}

/// The name that is nearest to a wrong one, for a message; nothing if none is near.
pub(crate) fn suggestion<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long names would take long, and are near to no other.
    let word = |name: &str| name.to_lowercase().chars().take(64).collect::<String>();
    let wrong = word(wrong);
    let near = known.into_iter().map(|name| (distance(&wrong, &word(name)), name));
    near.filter(|(distance, name)| *distance <= 2 && *distance < name.len()).min().map(|(_, name)| name)
}

/// Says that a name is unknown, with the one that may have been meant and all that there are.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let meant = suggestion(name, known.iter().copied());
    let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
    let (shown, more) = (known.iter().take(40), if known.len() > 40 { ", ..." } else { "" });
    let shown = shown.copied().collect::<Vec<_>>().join(", ");
    format!("unknown {what} {name:?}{meant} (there are: {shown}{more})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<&str>, &str) {
        let split = split(text).unwrap();
        (split.front.map(|range| &text[range]), &text[split.body])
    }

    #[test]
    fn front_matter_is_between_fences() {
        assert_eq!(parts("Hello\n"), (None, "Hello\n"));
        assert_eq!(parts(""), (None, ""));
        assert_eq!(parts("---\na: 1\n---\n\n Hello \n"), (Some("a: 1\n"), "Hello"));
        assert_eq!(parts("# c\n\n--- \r\na: 1\r\n---\r\nHello"), (Some("a: 1\r\n"), "Hello"));
        assert_eq!(parts("---\n---"), (Some(""), ""));
        assert_eq!(parts("\u{feff}---\na: 1\n---\nb"), (Some("a: 1\n"), "b"));
        assert_eq!(parts("# Title\nText\n---\nmore\n---\n"), (None, "# Title\nText\n---\nmore\n---\n"));
        let fault = split("#\n---\na: 1\n").err().unwrap();
        assert_eq!(fault.place, Place { line: 2, column: 1 });
    }

    #[test]
    fn places_count_from_one() {
        let source = Source::new("x", "aé\nb").unwrap();
        assert_eq!(source.place(0), Place { line: 1, column: 1 });
        assert_eq!(source.place(3), Place { line: 1, column: 3 });
        assert_eq!(source.place(4), Place { line: 2, column: 1 });
        assert_eq!(source.place(99).line, 2);
    }

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(suggestion("topk", ["top_k", "top_p"]), Some("top_k"));
        assert_eq!(suggestion("custom", ["config", "model"]), None);
    }
}
