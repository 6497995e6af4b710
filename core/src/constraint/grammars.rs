//! A vocabulary, prepared for masks.

use std::sync::Arc;

use llguidance::ParserFactory;
use llguidance::api::ParserLimits;
use toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};

use super::{Constraint, Masks, compile};
use crate::error::{Error, Result};
use crate::vocabulary::{Token, TokenKind, Vocabulary};

/// Longer tokens than this do not fit into the trie; no mask allows them.
const LONGEST_TOKEN: usize = 1000;

/// The vocabulary of a checkpoint in the form that masks are computed from; made once for each.
///
/// `Send + Sync`: any number of threads may compile constraints.
pub struct Grammars {
    factory: ParserFactory,
    vocabulary_len: usize,
    ends: Arc<[Token]>,
}

impl Grammars {
    /// Prepares `vocabulary`: tens of milliseconds for a hundred thousand tokens.
    ///
    /// # Errors
    /// [`Error::Engine`] if llguidance refuses the vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self> {
        let tokens = (0..vocabulary.len() as u32).map(Token);
        let ends = tokens.clone().filter(|&token| vocabulary.ends_generation(token)).collect();
        let mut words: Vec<Vec<u8>> = tokens.map(|token| spelling(vocabulary, token).to_vec()).collect();
        // llguidance knows one token that ends a generation; a vocabulary may have none or several. So the end is
        // a token of its own behind the others, and stands for all of them.
        words.push(Vec::new());
        let end = vocabulary.len() as u32;
        let factory = factory(&words, end).map_err(Error::engine)?;
        Ok(Self { factory, vocabulary_len: vocabulary.len(), ends })
    }

    /// Compiles a constraint. A typical schema takes a few milliseconds.
    ///
    /// # Errors
    /// [`Error::BadConstraint`] if it is wrong, if nothing can satisfy it, if it is too large, or if it says
    /// what cannot be enforced.
    pub fn compile(&self, constraint: &Constraint) -> Result<Masks> {
        let matcher = compile::compile(&self.factory, constraint)?;
        Masks::new(matcher, self.vocabulary_len, self.ends.clone())
    }
}

/// What the grammar sees of a token: nothing of those that are not text.
fn spelling(vocabulary: &Vocabulary, token: Token) -> &[u8] {
    let bytes = match vocabulary.kind(token) {
        Some(TokenKind::Normal | TokenKind::UserDefined | TokenKind::Byte) => vocabulary.bytes(token),
        _ => &[],
    };
    // The byte 0xFF is in no text, and marks special tokens for llguidance.
    let text = !vocabulary.ends_generation(token) && bytes.len() <= LONGEST_TOKEN && !bytes.contains(&0xFF);
    if text { bytes } else { &[] }
}

/// A factory whose tokens are the 256 bytes, to check texts without any vocabulary.
pub(super) fn of_bytes() -> Result<ParserFactory> {
    let mut words: Vec<Vec<u8>> = (0..=254u8).map(|byte| vec![byte]).collect();
    words.extend([Vec::new(), Vec::new()]);
    factory(&words, 256).map_err(Error::engine)
}

fn factory(words: &[Vec<u8>], end: u32) -> Result<ParserFactory, String> {
    let info = TokRxInfo::new(words.len() as u32, end);
    let environment: TokEnv = Arc::new(ApproximateTokEnv::new(TokTrie::from(&info, words)));
    let mut factory =
        ParserFactory::new_simple(&environment).map_err(|error| format!("the vocabulary: {error}"))?;
    factory.quiet();
    *factory.limits_mut() = limits();
    Ok(factory)
}

/// What a constraint may cost. Errors without the state of the parser: it holds the text so far.
fn limits() -> ParserLimits {
    ParserLimits { verbose_errors: false, ..ParserLimits::default() }
}
