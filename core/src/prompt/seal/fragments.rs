//! Tokenizes a text in which values spell special tokens: as the tokenizer would, but for those.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::forbidden::{Forbidden, Hit};
use super::pieces::{Piece, Pieces};
use super::touches_value;
use crate::error::{Error, Result};
use crate::prompt::Text;
use crate::vocabulary::{Token, Vocabulary};

/// A special token that an author wrote, with the white space that it takes away.
pub(super) struct Whole {
    pub token: Token,
    end: usize,
}

/// The special tokens that the tokenizer finds in what an author wrote, by their starts. As llama.cpp does: the
/// longest spelling first, and of each the first occurrence in what is left.
pub(super) fn whole(text: &Text, hits: &[Hit], vocabulary: &Vocabulary) -> BTreeMap<usize, Whole> {
    let mut hits: Vec<&Hit> =
        hits.iter().filter(|hit| hit.whole && !touches_value(text, &hit.range)).collect();
    hits.sort_by_key(|hit| (Reverse(hit.range.len()), hit.token, hit.range.start));
    let bytes = text.as_str().as_bytes();
    // C's `isspace`.
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let mut found = BTreeMap::<usize, Whole>::new();
    for Hit { range, token, .. } in hits {
        let left = found.range(..range.end).next_back().map_or(0, |(_, before)| before.end);
        if left > range.start {
            continue;
        }
        let right = found.range(range.end..).next().map_or(bytes.len(), |(&start, _)| start);
        let (mut start, mut end) = (range.start, range.end);
        if vocabulary.strips_left(*token) {
            start -= bytes[left..start].iter().rev().take_while(|byte| is_space(byte)).count();
        }
        if vocabulary.strips_right(*token) {
            end += bytes[end..right].iter().take_while(|byte| is_space(byte)).count();
        }
        found.insert(start, Whole { token: *token, end });
    }
    found
}

/// The tokens of a text as they come, and what had to be split.
pub(super) struct Fragments<'a> {
    pub text: &'a Text,
    pub forbidden: &'a Forbidden,
    pub pieces: &'a Pieces,
    /// The spellings that touch a value.
    pub forged: &'a [Hit],
    pub tokens: Vec<Token>,
    pub split: Vec<Range<usize>>,
}

impl Fragments<'_> {
    /// Tokenizes what stands between the special tokens of the author.
    ///
    /// # Errors
    /// [`Error::ForgedMarker`] if the vocabulary has no way to spell a forged token as text.
    pub fn run(&mut self, whole: &BTreeMap<usize, Whole>) -> Result<()> {
        let mut start = 0;
        for (&end, whole) in whole {
            self.fragment(start..end)?;
            self.tokens.push(whole.token);
            start = whole.end;
        }
        self.fragment(start..self.text.len())
    }

    fn fragment(&mut self, fragment: Range<usize>) -> Result<()> {
        // Pieces that are still to be done, the next one last; each with whether it starts the fragment.
        let mut todo = vec![(fragment, true)];
        while let Some((range, starts)) = todo.pop() {
            if range.is_empty() {
                continue;
            }
            let piece = self.pieces.tokenize(&self.text.as_str()[range.clone()], starts)?;
            let mut cuts = match self.judge(&piece, &range) {
                Verdict::Clean => {
                    self.tokens.extend(piece.tokens);
                    continue;
                }
                Verdict::Halve => vec![self.middle(&range)],
                Verdict::Forged(forged) => {
                    let cuts = forged.iter().flat_map(|forged| self.cuts(forged)).collect();
                    self.split.extend(forged);
                    cuts
                }
            };
            cuts.retain(|&cut| range.start < cut && cut < range.end);
            cuts.dedup();
            if cuts.is_empty() {
                // It is one character.
                let character = &self.text.as_str()[range.clone()];
                let spelled = self.pieces.spell(character);
                let marker = || Error::ForgedMarker { marker: character.to_owned() };
                self.tokens.extend(spelled.ok_or_else(marker)?);
                continue;
            }
            let ends = cuts.iter().copied().chain([range.end]);
            let beginnings = [range.start].into_iter().chain(cuts.iter().copied());
            let cut: Vec<_> = beginnings.zip(ends).map(|(start, end)| start..end).collect();
            todo.extend(
                cut.into_iter().map(|part| (part.clone(), starts && part.start == range.start)).rev(),
            );
        }
        Ok(())
    }

    /// Where to cut so that the tokenizer does not see `forged`: behind its first character. One that is a single
    /// character gets a piece of its own.
    fn cuts(&self, forged: &Range<usize>) -> Vec<usize> {
        let start = self.boundary(forged.start);
        let second = self.next(start);
        if second < forged.end { vec![second] } else { vec![start, second] }
    }

    /// The boundary of characters next to the middle of `range`, behind its first character.
    fn middle(&self, range: &Range<usize>) -> usize {
        self.boundary(range.start + range.len() / 2).max(self.next(range.start))
    }

    /// The last boundary of characters up to `index`.
    fn boundary(&self, index: usize) -> usize {
        (0..=index).rev().find(|&index| self.text.as_str().is_char_boundary(index)).unwrap_or(0)
    }

    /// The end of the character that begins at `index`.
    fn next(&self, index: usize) -> usize {
        index + self.text.as_str()[index..].chars().next().map_or(0, char::len_utf8)
    }

    fn judge(&self, piece: &Piece, range: &Range<usize>) -> Verdict {
        if !touches_value(self.text, range) {
            return Verdict::Clean;
        }
        let forged: Vec<Range<usize>> = match &piece.ranges {
            Some(ranges) => {
                let tokens = piece.tokens.iter().zip(ranges);
                let forged = tokens.filter(|(token, _)| self.is_special(**token));
                let forged = forged.map(|(_, bytes)| range.start + bytes.start..range.start + bytes.end);
                forged.filter(|bytes| touches_value(self.text, bytes)).collect()
            }
            // The tokens do not spell the piece, so that nobody knows where they stand.
            None => {
                let within = |hit: &&Hit| range.start <= hit.range.start && hit.range.end <= range.end;
                let became = |hit: &&Hit| piece.tokens.contains(&hit.token);
                let mut forged: Vec<Range<usize>> = Vec::new();
                for hit in self.forged.iter().filter(within).filter(became) {
                    // A cut through one of several that overlap may do for the others.
                    if forged.last().is_none_or(|last| last.end <= hit.range.start) {
                        forged.push(hit.range.clone());
                    }
                }
                if forged.is_empty() && piece.tokens.iter().any(|&token| self.forbidden.contains(token)) {
                    return Verdict::Halve;
                }
                forged
            }
        };
        if forged.is_empty() { Verdict::Clean } else { Verdict::Forged(forged) }
    }

    /// That the token for the unknown stands for its own spelling is no accident.
    fn is_special(&self, token: Token) -> bool {
        self.forbidden.contains(token) || self.forbidden.is_unknown(token)
    }
}

/// What the tokens of a piece are.
enum Verdict {
    /// None of them is forged.
    Clean,
    /// Those that stand for these bytes of the text are.
    Forged(Vec<Range<usize>>),
    /// Some are, but the tokenizer changed the text, so that nobody knows where.
    Halve,
}
