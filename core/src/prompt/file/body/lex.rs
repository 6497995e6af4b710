//! Splits a Handlebars template into text and tags, and takes away the whitespace that does not count.

use crate::prompt::file::source::{Parsed, Source};

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Piece {
    Text {
        text: String,
        /// Before whitespace was taken away.
        original: String,
    },
    Tag(Tag),
}

#[derive(Debug)]
pub(super) struct Tag {
    pub at: usize,
    pub kind: Kind,
    /// The bytes of what is said in it.
    pub start: usize,
    pub end: usize,
    /// `{{~` and `~}}`: no whitespace before, or behind.
    strip: [bool; 2],
    /// The whitespace before a partial that stands alone in its line.
    pub indent: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Value,
    /// `{{{` or `{{&`
    Bare,
    Open,
    /// `{{^name}}`
    OpenInverse,
    /// `{{else}}`, `{{^}}` or `{{else name ...}}`
    Else,
    Close,
    Partial,
    Comment,
}

/// The pieces of the bytes from `start` to `end` of a file.
pub(super) fn pieces(source: &Source, start: usize, end: usize) -> Parsed<Vec<Piece>> {
    let text = &source.text[..end];
    let mut pieces = Vec::new();
    let mut content = String::new();
    let mut at = start;
    while let Some(found) = text[at..].find("{{").map(|found| at + found) {
        let before = &text[at..found];
        if before.ends_with('\\') && !before.ends_with("\\\\") {
            content += &before[..before.len() - 1];
            content += "{{";
            at = found + 2;
            continue;
        }
        content += before.strip_suffix('\\').unwrap_or(before);
        if !content.is_empty() {
            pieces.push(text_piece(std::mem::take(&mut content)));
        }
        let (tag, behind) = tag(source, text, found)?;
        pieces.push(Piece::Tag(tag));
        at = behind;
    }
    content += &text[at..];
    if !content.is_empty() {
        pieces.push(text_piece(content));
    }
    control_whitespace(&mut pieces);
    Ok(pieces)
}

fn text_piece(text: String) -> Piece {
    Piece::Text { original: text.clone(), text }
}

/// The tag at a byte, and where it ends.
fn tag(source: &Source, text: &str, at: usize) -> Parsed<(Tag, usize)> {
    let fault =
        |at: usize, reason: &str| Err(crate::prompt::file::source::Fault::new(source.place(at), reason));
    let mut start = at + 2;
    if text[start..].starts_with("{{") {
        return fault(at, "raw blocks (`{{{{`) are not supported: write `\\{{` for a brace that is text");
    }
    let left = text[start..].starts_with('~');
    start += usize::from(left);
    let rest = &text[start..];
    let (kind, sigil) = match rest.as_bytes() {
        [b'!', ..] => (Kind::Comment, 1),
        [b'#', b'>', ..] => return fault(at, "partial blocks (`{{#>`) are not supported: use `{{> name}}`"),
        [b'#', b'*', ..] | [b'*', ..] => {
            return fault(
                at,
                "inline partials and decorators (`*`) are not supported: use a file `_name.prompt`",
            );
        }
        [b'#', ..] => (Kind::Open, 1),
        [b'/', ..] => (Kind::Close, 1),
        [b'>', ..] => (Kind::Partial, 1),
        [b'&', ..] => (Kind::Bare, 1),
        [b'{', ..] => (Kind::Bare, 1),
        [b'^', ..] => {
            let inner = rest[1..].trim_start().trim_start_matches('~');
            (if inner.starts_with("}}") { Kind::Else } else { Kind::OpenInverse }, 1)
        }
        _ => match rest.trim_start().strip_prefix("else") {
            Some(behind) if !behind.starts_with(is_name) => (Kind::Else, rest.len() - behind.len()),
            _ => (Kind::Value, 0),
        },
    };
    let braced = rest.starts_with('{');
    start += sigil;
    let inner = &text[start..];
    let length = match kind {
        Kind::Comment if inner.starts_with("--") => {
            let dashes = inner[2..].match_indices("--").map(|(at, _)| at + 4);
            let mut ends =
                dashes.filter(|at| inner[*at..].starts_with("}}") || inner[*at..].starts_with("~}}"));
            ends.next()
        }
        Kind::Comment => inner.find("}}"),
        _ => closing(inner),
    };
    let Some(length) = length else {
        return fault(at, "this tag is not closed: `}}` is missing");
    };
    let mut end = start + length;
    let mut behind = end + 2;
    if text[end..].starts_with('~') {
        // `--~}}`
        (end, behind) = (end + 1, behind + 1);
    }
    let mut right = text[..end].ends_with('~') && end > start;
    if right {
        end -= 1;
    }
    if braced {
        // `{{{x}}}`, or `{{~{x}~}}`
        if text[..end].ends_with('}') && end > start {
            end -= 1;
        } else if text[behind..].starts_with('}') && !right {
            behind += 1;
        } else {
            return fault(at, "this tag is opened with three braces and must be closed with three");
        }
        if text[..end].ends_with('~') && end > start {
            right = true;
            end -= 1;
        }
    }
    Ok((Tag { at, kind, start, end, strip: [left, right], indent: String::new() }, behind))
}

/// Where `}}` is, outside of strings and of names in brackets.
fn closing(text: &str) -> Option<usize> {
    let mut within = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match (within, character) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(end), _) if end == character => within = None,
            (None, '"' | '\'') => within = Some(character),
            (None, '[') => within = Some(']'),
            (None, '}') if text[at..].starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether a name may hold a character.
pub(super) fn is_name(character: char) -> bool {
    !character.is_whitespace() && !"!\"#%&'()*+,./;<=>@[\\]^`{|}~".contains(character)
}

/// `~` takes all whitespace on its side. A tag that writes nothing and stands alone in its line takes the line.
fn control_whitespace(pieces: &mut [Piece]) {
    for index in 0..pieces.len() {
        let (before, rest) = pieces.split_at_mut(index);
        let Some((Piece::Tag(tag), behind)) = rest.split_first_mut() else { continue };
        let (first, last) = (before.len() <= 1, behind.len() <= 1);
        let (mut before, mut behind) = (before.last_mut(), behind.first_mut());
        let alone = !matches!(tag.kind, Kind::Value | Kind::Bare)
            && begins_line(before.as_deref(), first)
            && ends_line(behind.as_deref(), last);
        let blank = [' ', '\t'];
        if let Some(Piece::Text { text, original }) = &mut before {
            if alone {
                if tag.kind == Kind::Partial {
                    tag.indent = original[original.trim_end_matches(blank).len()..].to_owned();
                }
                text.truncate(text.trim_end_matches(blank).len());
            }
            if tag.strip[0] {
                text.truncate(text.trim_end().len());
                tag.indent.clear();
            }
        }
        if let Some(Piece::Text { text, .. }) = &mut behind {
            if alone {
                let line = text.trim_start_matches(blank);
                let line = line.strip_prefix("\r\n").or(line.strip_prefix('\n')).unwrap_or(line);
                text.drain(..text.len() - line.len());
            }
            if tag.strip[1] {
                text.drain(..text.len() - text.trim_start().len());
            }
        }
    }
}

fn begins_line(before: Option<&Piece>, first: bool) -> bool {
    match before {
        None => true,
        Some(Piece::Text { original, .. }) => match original.rfind('\n') {
            Some(newline) => original[newline..].trim().is_empty(),
            None => first && original.trim().is_empty(),
        },
        Some(Piece::Tag(_)) => false,
    }
}

fn ends_line(behind: Option<&Piece>, last: bool) -> bool {
    match behind {
        None => true,
        Some(Piece::Text { original, .. }) => match original.find('\n') {
            Some(newline) => original[..newline].trim().is_empty(),
            None => last && original.trim().is_empty(),
        },
        Some(Piece::Tag(_)) => false,
    }
}
