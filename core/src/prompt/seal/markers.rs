//! Markers that are ordinary text for a vocabulary: found in what a template writes, and searched in values.

use std::collections::BTreeMap;
use std::ops::Range;

use super::forbidden::Forbidden;
use super::probes::Probe;
use super::search::Search;
use super::shape::BRACKETS;
use super::{Markers, touches_value};
use crate::error::{Error, Result};
use crate::prompt::Text;

/// A tag or a label is not longer than this, in bytes and words.
const LONGEST: usize = 48;
const MOST_WORDS: usize = 5;

/// The markers of a template.
#[derive(Debug, Clone)]
pub(super) struct MarkerSet {
    markers: Vec<(String, Place)>,
    search: Search,
}

/// Where the spelling of a marker is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// At the beginning of a line, where alone the template writes it.
    Line,
    /// Where no word goes on.
    Word,
    /// Everywhere.
    Any,
}

/// A marker whose spelling was broken.
pub(super) struct Broken {
    /// Bytes of the text before anything was inserted.
    pub range: Range<usize>,
    /// The place of the space in the text with all that was inserted.
    pub inserted: usize,
}

/// A part of a line that a template writes between values and special tokens.
struct Segment<'a> {
    text: &'a str,
    before: Border,
    after: Border,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Border {
    /// The beginning or the end of the prompt.
    Prompt,
    Line,
    Special,
    Value,
}

impl MarkerSet {
    /// The markers of a template that rendered `probes`.
    ///
    /// # Errors
    /// [`Error::Engine`] if they are too many to be searched.
    pub fn find(probes: &[Probe], forbidden: &Forbidden) -> Result<Self> {
        let mut found = BTreeMap::new();
        for probe in probes {
            let segments = segments(&probe.text, forbidden);
            for (index, segment) in segments.iter().enumerate() {
                let leads = leads_to_value(&segments[index..]);
                for (marker, place) in markers(segment, leads) {
                    if !probe.shows(marker, place == Place::Line) {
                        continue;
                    }
                    let known = found.entry(marker.to_owned()).or_insert(place);
                    *known = (*known).max(place);
                }
            }
        }
        let markers: Vec<(String, Place)> = found.into_iter().collect();
        let search = Search::new(markers.iter().map(|(marker, _)| marker.as_str()))?;
        Ok(Self { markers, search })
    }

    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        self.markers.iter().map(|(marker, _)| marker.as_str())
    }

    /// Does what is to be done about markers in values. None if there are none.
    ///
    /// # Errors
    /// [`Error::ForgedMarker`] if they are to be rejected.
    pub fn neutralize(&self, text: &Text, markers: Markers) -> Result<Option<(Text, Vec<Broken>)>> {
        let forged = self.forged(text);
        match (forged.first(), markers) {
            (None, _) => return Ok(None),
            (Some(&(_, number)), Markers::Reject) => {
                return Err(Error::ForgedMarker { marker: self.markers[number].0.clone() });
            }
            (Some(_), Markers::Neutralize) => {}
        }
        let mut neutral = Text::new();
        let mut broken: Vec<Broken> = Vec::new();
        let mut copied = 0;
        for (range, _) in forged {
            let cut = cut(text, &range);
            // One space may break several that overlap.
            if broken.is_empty() || cut > copied {
                neutral.push_slice(text, copied..cut);
                broken.push(Broken { range, inserted: neutral.len() });
                neutral.push_sealed(" ");
                copied = cut;
            }
        }
        neutral.push_slice(text, copied..text.len());
        Ok(Some((neutral, broken)))
    }

    /// The markers that touch a value, in order, each with its number.
    fn forged(&self, text: &Text) -> Vec<(Range<usize>, usize)> {
        let found = self.search.find(text.as_str()).into_iter();
        found
            .filter(|(range, number)| {
                touches_value(text, range) && is_placed(text.as_str(), range, self.markers[*number].1)
            })
            .collect()
    }
}

/// Behind the first character that a value has of a marker, or in front of it where that is the last one.
fn cut(text: &Text, range: &Range<usize>) -> usize {
    let mut characters = text.as_str()[range.clone()].char_indices();
    let sealed = characters.find(|&(index, _)| text.is_sealed(range.start + index));
    let (index, character) = sealed.unwrap_or((0, '\0'));
    let end = range.start + index + character.len_utf8();
    if end < range.end { end } else { range.start + index }
}

fn is_placed(text: &str, range: &Range<usize>, place: Place) -> bool {
    let before = &text[..range.start];
    let first = text[range.clone()].chars().next();
    let goes_on = |last: char| match first {
        Some('#') => last == '#',
        _ => last.is_alphanumeric(),
    };
    match place {
        Place::Any => true,
        Place::Word => !before.chars().next_back().is_some_and(goes_on),
        // Behind a special token a line begins too, and values begin there.
        Place::Line => {
            let line = before.trim_end_matches([' ', '\t']);
            line.is_empty() || line.ends_with(['\n', '\r', '>', ']', '｜'])
        }
    }
}

/// The parts of lines that an author wrote, without special tokens.
fn segments<'a>(text: &'a Text, forbidden: &Forbidden) -> Vec<Segment<'a>> {
    let mut segments = Vec::new();
    let mut before = Border::Prompt;
    let mut pieces = text.pieces().peekable();
    while let Some((piece, sealed)) = pieces.next() {
        if sealed {
            before = Border::Value;
            continue;
        }
        let end = if pieces.peek().is_some() { Border::Value } else { Border::Prompt };
        let mut special: Vec<Range<usize>> = forbidden.find(piece).into_iter().map(|hit| hit.range).collect();
        special = super::without_overlaps(special);
        let mut start = 0;
        for range in special.into_iter().chain(std::iter::once(piece.len()..piece.len())) {
            let last = range.end == piece.len() && range.is_empty();
            let after = if last { end } else { Border::Special };
            let mut lines = piece[start..range.start].split('\n').peekable();
            while let Some(line) = lines.next() {
                let after = if lines.peek().is_some() { Border::Line } else { after };
                segments.push(Segment { text: line.trim(), before, after });
                before = Border::Line;
            }
            before = Border::Special;
            start = range.end;
        }
    }
    segments
}

/// Whether nothing but space stands between a segment and a value, or the end of the prompt.
fn leads_to_value(segments: &[Segment<'_>]) -> bool {
    let mut rest = segments.iter();
    let Some(first) = rest.next() else { return false };
    let mut after = first.after;
    while after == Border::Line {
        match rest.next() {
            Some(next) if next.text.is_empty() => after = next.after,
            _ => return false,
        }
    }
    matches!(after, Border::Value | Border::Prompt)
}

/// The markers of a segment: tags that stand in it alone, and a label that leads to a value.
fn markers<'a>(segment: &Segment<'a>, leads: bool) -> Vec<(&'a str, Place)> {
    let mut rest = segment.text;
    if segment.before == Border::Value {
        // The end of a value within JSON.
        rest = rest.trim_start_matches(['"', '}', ']', ')', ' ']);
    }
    let mut found = Vec::new();
    while let Some(tag) = leading_tag(rest) {
        found.push((tag, Place::Any));
        rest = rest[tag.len()..].trim_start();
    }
    let trailing = found.len();
    let whole = rest.len() == segment.text.len();
    while let Some(tag) = trailing_tag(rest) {
        found.push((tag, Place::Any));
        rest = rest[..rest.len() - tag.len()].trim_end();
    }
    match label(rest) {
        // A role, as in `<|im_start|>user`.
        _ if rest.chars().all(|character| character.is_alphanumeric() || character == '_') => {}
        Some(label) if leads => {
            let starts = whole && label.len() == rest.len() && segment.before != Border::Value;
            found.push((label, if starts { Place::Line } else { Place::Word }));
        }
        // A value within JSON.
        _ if rest.starts_with(['{', '[', '"']) => found.truncate(trailing),
        // Prose, which may come behind a tag that is no word of it.
        _ => found.retain(|(tag, _)| tag.contains(['|', '｜'])),
    }
    found
}

/// The tag at the end of a text.
fn trailing_tag(text: &str) -> Option<&str> {
    let starts = text.rmatch_indices(|character| BRACKETS.iter().any(|&(open, _)| open == character));
    let tags = starts.map(|(start, _)| &text[start..]).take_while(|tail| tail.len() <= LONGEST);
    tags.filter(|tail| leading_tag(tail) == Some(tail)).last()
}

/// The tag at the beginning of a text: `[INST]`, `<</SYS>>`, `<|user|>`.
fn leading_tag(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let &(open, close) = BRACKETS.iter().find(|&&(open, _)| open == first)?;
    let depth = text.chars().take_while(|&character| character == open).count();
    let start = depth * open.len_utf8();
    let length = text[start..].find(close)?;
    let inner = &text[start..start + length];
    let end = start + length + depth * close.len_utf8();
    let closed = text.get(start + length..end)?.chars().all(|character| character == close);
    let named = inner.chars().any(char::is_alphanumeric)
        && !inner.contains(|character: char| "\"'{}=,;`".contains(character) || character == open)
        && inner.split_whitespace().count() <= MOST_WORDS;
    (closed && named && end <= LONGEST).then(|| &text[..end])
}

/// The label at the end of a text: `USER:`, `### Response:`, `## Answer`.
fn label(text: &str) -> Option<&str> {
    let sentence = text.rmatch_indices(['.', '!', '?', ')', '。', '>']).find(|(index, mark)| {
        let rest = &text[index + mark.len()..];
        rest.starts_with(char::is_whitespace) || mark.len() > 1
    });
    let label = sentence.map_or(text, |(index, mark)| text[index + mark.len()..].trim_start());
    let is_heading = label.starts_with('#');
    let ends = label.trim_end_matches(['*', '_', ' ']).ends_with([':', '：']);
    let plain = label.chars().any(char::is_alphabetic)
        && !label.contains(|character: char| "\"'{}[]<>,;`|=\\".contains(character));
    let short = label.len() <= LONGEST && label.split_whitespace().count() <= MOST_WORDS;
    (plain && short && (ends || is_heading)).then_some(label)
}
