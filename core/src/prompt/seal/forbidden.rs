//! Which tokens a value must not become. `docs/adr/0008-sealed-prompts.md` has the reasons.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::search::Search;
use super::shape;
use crate::engine::Special;
use crate::error::Result;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Token, TokenKind, Vocabulary};

/// What a template writes.
#[derive(Default)]
pub(super) struct Written<'a> {
    /// Its source.
    pub source: &'a str,
    /// The tokens of what it rendered.
    pub tokens: HashSet<Token>,
}

/// A character that no vocabulary knows: unassigned for ever.
const UNKNOWN: &str = "\u{10FFFF}";

/// What stands for text that the vocabulary cannot spell: BERT's `[UNK]` is a control token.
fn unknown(tokenizer: &Tokenizer) -> Result<Vec<Token>> {
    let is_special = |token: &Token| {
        matches!(tokenizer.vocabulary().kind(*token), Some(TokenKind::Control | TokenKind::Unknown))
    };
    Ok(tokenizer.tokenize(UNKNOWN, Special::Plain)?.into_iter().filter(is_special).collect())
}

/// The tokens that a value must not become, and their spellings.
#[derive(Debug, Clone)]
pub(super) struct Forbidden {
    ids: Vec<bool>,
    unknowns: Vec<bool>,
    spellings: Vec<Spelling>,
    search: Search,
}

#[derive(Debug, Clone, Copy)]
struct Spelling {
    token: Token,
    whole: bool,
}

/// Where a text spells such a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Bytes of the text, at boundaries of characters.
    pub range: Range<usize>,
    pub token: Token,
    /// Whether the tokenizer looks for this spelling before anything else, and takes it whole.
    pub whole: bool,
}

impl Forbidden {
    pub fn new(tokenizer: &Tokenizer, written: &Written<'_>) -> Result<Self> {
        let vocabulary = tokenizer.vocabulary();
        let unknown = unknown(tokenizer)?;
        let (mut ids, mut unknowns) = (vec![false; vocabulary.len()], vec![false; vocabulary.len()]);
        let (mut spellings, mut texts) = (Vec::new(), Vec::<Cow<'_, str>>::new());
        for token in (0..vocabulary.len()).map(|id| Token(id as u32)) {
            let (Some(kind), bytes) = (vocabulary.kind(token), vocabulary.bytes(token)) else { continue };
            // The name of a byte, as `<0x0A>`: SentencePiece has such tokens for what it cannot spell otherwise.
            if let (TokenKind::Byte, [byte]) = (kind, bytes) {
                texts.push(format!("<0x{byte:02X}>").into());
                spellings.push(Spelling { token, whole: false });
            }
            // A spelling that is not text cannot occur in one.
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            let is_unknown = kind == TokenKind::Unknown || unknown.contains(&token);
            let is_forbidden = !is_unknown && is_forbidden(vocabulary, token, kind, text, written);
            ids[token.index()] = is_forbidden;
            unknowns[token.index()] = is_unknown;
            if (is_forbidden || is_unknown) && !text.is_empty() {
                let whole = matches!(kind, TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown);
                texts.push(text.into());
                spellings.push(Spelling { token, whole });
            }
        }
        let search = Search::new(texts.iter().map(AsRef::as_ref))?;
        Ok(Self { ids, unknowns, spellings, search })
    }

    /// Whether a value must not become `token`. Tokens for the unknown are not among them, since text that
    /// cannot be spelled becomes them; their spellings are.
    pub fn contains(&self, token: Token) -> bool {
        self.ids.get(token.index()).copied().unwrap_or(false)
    }

    /// Whether `token` stands for text that cannot be spelled. A value may become it, but for one that spells it.
    pub fn is_unknown(&self, token: Token) -> bool {
        self.unknowns.get(token.index()).copied().unwrap_or(false)
    }

    /// Where `text` spells one, or the name of a byte, or a token for the unknown.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        let hit = |(range, number): (Range<usize>, usize)| {
            let Spelling { token, whole } = self.spellings[number];
            Hit { range, token, whole }
        };
        self.search.find(text).into_iter().map(hit).collect()
    }
}

fn is_forbidden(
    vocabulary: &Vocabulary,
    token: Token,
    kind: TokenKind,
    text: &str,
    written: &Written<'_>,
) -> bool {
    match kind {
        TokenKind::Control => true,
        TokenKind::UserDefined => {
            shape::is_marker(text)
                || shape::has_sign(text) && (written.tokens.contains(&token) || written.source.contains(text))
                || steers(vocabulary, token) && shape::is_bracketed(text)
        }
        // Where a vocabulary names no end, llama.cpp takes a fixed id, which may be a comma.
        TokenKind::Normal | TokenKind::Unused | TokenKind::Byte => {
            shape::is_bracketed(text) && (steers(vocabulary, token) || written.tokens.contains(&token))
        }
        TokenKind::Unknown => false,
    }
}

fn steers(vocabulary: &Vocabulary, token: Token) -> bool {
    vocabulary.ends_generation(token) || [vocabulary.bos(), vocabulary.eos()].contains(&Some(token))
}
