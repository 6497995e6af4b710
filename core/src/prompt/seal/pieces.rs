//! Tokenizes pieces of a text as if they were not cut, and says which of its bytes each token stands for.

use std::ops::Range;

use crate::engine::Special;
use crate::error::Result;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Token, TokenKind, Vocabulary};

/// Some tokenizers treat the beginning of a text in their own way: SentencePiece puts a space in front of it, PLaMo
/// drops a mark there. A piece from within a text is therefore tokenized behind one of these, whose tokens are
/// dropped again.
const ANCHORS: [&str; 7] = ["\u{E000}", "\n", "\u{1}", "!", ".", "0", "~"];

/// Tokenizes pieces.
#[derive(Clone)]
pub(super) struct Pieces {
    tokenizer: Tokenizer,
    /// Whether the beginning of a text is changed.
    marks_start: bool,
    anchors: Vec<(&'static str, Vec<Token>)>,
    /// For each byte the token that stands for nothing else.
    bytes: Box<[Option<Token>; 256]>,
}

/// The tokens of a piece.
pub(super) struct Piece {
    pub tokens: Vec<Token>,
    /// The bytes of the piece for each token; none if the tokens do not spell it, as those of a tokenizer that
    /// changes what it reads.
    pub ranges: Option<Vec<Range<usize>>>,
}

impl Pieces {
    /// `is_forbidden` tells the tokens that no byte may become.
    pub fn new(tokenizer: &Tokenizer, is_forbidden: impl Fn(Token) -> bool) -> Result<Self> {
        let vocabulary = tokenizer.vocabulary();
        let mut anchors = Vec::new();
        for anchor in ANCHORS {
            let tokens = tokenizer.tokenize(anchor, Special::Plain)?;
            let known = |&token: &Token| vocabulary.kind(token) != Some(TokenKind::Unknown);
            if !tokens.is_empty() && tokens.iter().all(known) {
                anchors.push((anchor, tokens));
            }
        }
        let start = tokenizer.tokenize("a", Special::Plain)?;
        let marks_start = ranges(vocabulary, &start, "a", None).is_none();
        let mut bytes = Box::new([None; 256]);
        for token in (0..vocabulary.len()).map(|id| Token(id as u32)) {
            let kind = vocabulary.kind(token);
            if let (&[byte], Some(TokenKind::Normal | TokenKind::Byte)) = (vocabulary.bytes(token), kind)
                && !is_forbidden(token)
                && (bytes[usize::from(byte)].is_none() || kind == Some(TokenKind::Normal))
            {
                bytes[usize::from(byte)] = Some(token);
            }
        }
        Ok(Self { tokenizer: tokenizer.clone(), marks_start, anchors, bytes })
    }

    /// The tokens of `piece` as plain text; `starts` if the tokenizer sees the beginning of a text there.
    pub fn tokenize(&self, piece: &str, starts: bool) -> Result<Piece> {
        let vocabulary = self.tokenizer.vocabulary();
        let ranges =
            |tokens: &[Token], starts| ranges(vocabulary, tokens, piece, self.marks_start.then_some(starts));
        if starts || !self.marks_start {
            let tokens = self.tokenizer.tokenize(piece, Special::Plain)?;
            let ranges = ranges(&tokens, starts);
            if starts || ranges.is_some() {
                return Ok(Piece { tokens, ranges });
            }
        }
        let mut other = None;
        for (anchor, prefix) in &self.anchors {
            let tokens = self.tokenizer.tokenize(&format!("{anchor}{piece}"), Special::Plain)?;
            let Some(tokens) = tokens.strip_prefix(prefix.as_slice()) else { continue };
            let (tokens, ranges) = (tokens.to_vec(), ranges(tokens, false));
            if ranges.is_some() {
                return Ok(Piece { tokens, ranges });
            }
            other.get_or_insert(Piece { tokens, ranges });
        }
        match other {
            Some(piece) => Ok(piece),
            None => Ok(Piece { tokens: self.tokenizer.tokenize(piece, Special::Plain)?, ranges: None }),
        }
    }

    /// The tokens of the bytes of `piece`, each by itself, if there are such.
    pub fn spell(&self, piece: &str) -> Option<Vec<Token>> {
        piece.bytes().map(|byte| self.bytes[usize::from(byte)]).collect()
    }
}

/// The bytes of `text` that each token stands for, if they spell it. SentencePiece reads `▁` as a space, and where
/// the tokenizer `marks` the beginning of a text it puts one there and behind special tokens; whether the tokens
/// are at a beginning is what is given.
fn ranges(
    vocabulary: &Vocabulary,
    tokens: &[Token],
    text: &str,
    marks: Option<bool>,
) -> Option<Vec<Range<usize>>> {
    const SPACE: &[u8] = "▁".as_bytes();
    let text = text.as_bytes();
    let (mut starts, mut end) = (marks == Some(true), 0);
    let mut ranges = Vec::with_capacity(tokens.len());
    for &token in tokens {
        let special = matches!(
            vocabulary.kind(token),
            Some(TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown)
        );
        let bytes = vocabulary.bytes(token);
        let bytes = if starts && !special { bytes.strip_prefix(b" ").unwrap_or(bytes) } else { bytes };
        let start = end;
        for &byte in bytes {
            end += match text.get(end) {
                Some(&found) if found == byte => 1,
                Some(_) if byte == b' ' && text[end..].starts_with(SPACE) => SPACE.len(),
                _ => return None,
            };
        }
        ranges.push(start..end);
        starts = marks.is_some() && special;
    }
    (end == text.len()).then_some(ranges)
}
