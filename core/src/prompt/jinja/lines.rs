//! How Python splits text: at white space, at the ends of lines, at a separator; and wraps it.

use std::collections::VecDeque;

/// Whether Python takes a character as white space.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

/// The words of a text; after `limit` splits, from the end if `last`, the rest is one piece.
pub(super) fn words(text: &str, limit: usize, last: bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = if last { text.trim_end_matches(is_space) } else { text.trim_start_matches(is_space) };
    while !rest.is_empty() {
        if pieces.len() == limit {
            pieces.push(rest);
            break;
        }
        let (piece, left) = match last {
            false => rest.split_at(rest.find(is_space).unwrap_or(rest.len())),
            true => {
                let space = rest.char_indices().rfind(|(_, character)| is_space(*character));
                let start = space.map_or(0, |(index, character)| index + character.len_utf8());
                let (left, piece) = rest.split_at(start);
                (piece, left)
            }
        };
        pieces.push(piece);
        rest = if last { left.trim_end_matches(is_space) } else { left.trim_start_matches(is_space) };
    }
    if last {
        pieces.reverse();
    }
    pieces
}

/// The pieces between separators, which are not empty; after `limit` splits the rest is one piece.
pub(super) fn split<'a>(text: &'a str, separator: &str, limit: usize, last: bool) -> Vec<&'a str> {
    let pieces = limit.saturating_add(1);
    if !last {
        return text.splitn(pieces, separator).collect();
    }
    let mut pieces: Vec<&str> = text.rsplitn(pieces, separator).collect();
    pieces.reverse();
    pieces
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a text ends with the end of a line.
pub(super) fn ends_line(text: &str) -> bool {
    text.ends_with(is_line_end)
}

/// The lines of a text, without what ends them unless `keep`.
pub(super) fn lines(text: &str, keep: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        if !is_line_end(character) {
            continue;
        }
        if character == '\r' {
            characters.next_if(|(_, next)| *next == '\n');
        }
        let end = characters.peek().map_or(text.len(), |(next, _)| *next);
        lines.push(&text[start..if keep { end } else { index }]);
        start = end;
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

/// A line cut into pieces of at most `width` characters, 1 or more, as Python's `textwrap.wrap` does it
/// without expanding tabs. Each piece is a range of the line.
pub(super) fn wrap(line: &str, width: usize, break_long: bool, break_hyphens: bool) -> Vec<&str> {
    let chunks = chunks(line, break_hyphens).into_iter();
    // Each with its number of characters.
    let mut queue: VecDeque<(&str, usize)> = chunks.map(|chunk| (chunk, chunk.chars().count())).collect();
    let mut wrapped: Vec<&str> = Vec::new();
    while let Some((first, _)) = queue.front() {
        // White space at the beginning of a line goes, but for the first.
        if !wrapped.is_empty() && first.chars().all(is_ascii_space) {
            queue.pop_front();
            continue;
        }
        let start = first.as_ptr() as usize - line.as_ptr() as usize;
        let (mut end, mut length, mut last_space) = (start, 0, None);
        while let Some(&(chunk, characters)) = queue.front()
            && length + characters <= width
        {
            queue.pop_front();
            last_space = chunk.chars().all(is_ascii_space).then_some(end);
            length += characters;
            end += chunk.len();
        }
        if let Some(&(chunk, characters)) = queue.front()
            && characters > width
        {
            queue.pop_front();
            let mut taken = characters;
            if break_long {
                let room = width - length;
                taken = break_hyphens.then(|| hyphen(chunk, room)).flatten().unwrap_or(room);
                last_space = None;
            } else if end > start {
                taken = 0;
            }
            let cut = chunk.char_indices().nth(taken).map_or(chunk.len(), |(index, _)| index);
            end += cut;
            if cut < chunk.len() {
                queue.push_front((&chunk[cut..], characters - taken));
            }
        }
        let end = last_space.unwrap_or(end);
        if end > start {
            wrapped.push(&line[start..end]);
        }
    }
    wrapped
}

fn is_ascii_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Where a chunk that is longer than the room is broken behind a hyphen, in characters.
fn hyphen(chunk: &str, room: usize) -> Option<usize> {
    let characters: Vec<char> = chunk.chars().take(room).collect();
    let at = characters.iter().rposition(|character| *character == '-')?;
    (at > 0 && characters[..at].iter().any(|character| *character != '-')).then_some(at + 1)
}

/// Words, parts of words up to a hyphen between letters, dashes, and white space.
fn chunks(line: &str, break_hyphens: bool) -> Vec<&str> {
    let characters: Vec<(usize, char)> = line.char_indices().collect();
    let at = |index: usize| characters.get(index).map(|(_, character)| *character);
    let is_letter =
        |index: usize| at(index).is_some_and(|character| character.is_alphabetic() || character == '_');
    let mut chunks = Vec::new();
    let mut start = 0;
    for index in 1..=characters.len() {
        let (Some(before), after) = (at(index - 1), at(index)) else { break };
        let ends = match after {
            None => true,
            Some(after) if is_ascii_space(before) != is_ascii_space(after) => true,
            Some(_) if !break_hyphens || is_ascii_space(before) => false,
            // Behind `two-letter` hyphens; dashes of two and more stand alone.
            Some(after) => {
                let lone = before == '-' && after != '-' && index >= 2 && at(index - 2) != Some('-');
                let dashes = index >= 2 && before == '-' && at(index - 2) == Some('-') && after != '-';
                let into_dashes = before != '-' && after == '-' && at(index + 1) == Some('-');
                let word = index >= 3 && is_letter(index - 2) && is_letter(index - 3);
                (lone && word && is_letter(index) && is_letter(index + 1)) || dashes || into_dashes
            }
        };
        if ends {
            let end = characters.get(index).map_or(line.len(), |(index, _)| *index);
            chunks.push(&line[start..end]);
            start = end;
        }
    }
    chunks
}
