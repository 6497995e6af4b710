//! Which tokens may be chosen.

use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// A set of tokens of one vocabulary: those that may be chosen. Grammars and quotations make them.
///
/// An id outside of the vocabulary is never allowed; allowing or denying it does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMask {
    /// A bit for each token; those after the last token are 0.
    words: Vec<u64>,
    vocabulary_len: usize,
}

impl TokenMask {
    /// A mask that allows all of the `vocabulary_len` tokens.
    pub fn all(vocabulary_len: usize) -> Self {
        let mut mask = Self::none(vocabulary_len);
        mask.allow_all();
        mask
    }

    /// A mask that allows none of the `vocabulary_len` tokens.
    pub fn none(vocabulary_len: usize) -> Self {
        Self { words: vec![0; vocabulary_len.div_ceil(64)], vocabulary_len }
    }

    /// The size of the vocabulary that the mask is for.
    pub fn vocabulary_len(&self) -> usize {
        self.vocabulary_len
    }

    /// Allows `token`.
    pub fn allow(&mut self, token: Token) {
        if token.index() < self.vocabulary_len {
            self.words[token.index() / 64] |= 1 << (token.index() % 64);
        }
    }

    /// Denies `token`.
    pub fn deny(&mut self, token: Token) {
        if token.index() < self.vocabulary_len {
            self.words[token.index() / 64] &= !(1 << (token.index() % 64));
        }
    }

    /// Allows all tokens.
    pub fn allow_all(&mut self) {
        self.words.fill(u64::MAX);
        if let (Some(last), used @ 1..) = (self.words.last_mut(), self.vocabulary_len % 64) {
            *last = (1 << used) - 1;
        }
    }

    /// Denies all tokens.
    pub fn deny_all(&mut self) {
        self.words.fill(0);
    }

    /// Allows the tokens whose bits are set in `words`, from the lowest of the first on, and denies the others.
    pub(crate) fn set_words(&mut self, words: &[u32]) {
        let halves = |pair: &[u32]| pair.iter().rev().fold(0, |word, &half| word << 32 | u64::from(half));
        let given = words.chunks(2).map(halves).chain(std::iter::repeat(0));
        for (word, given) in self.words.iter_mut().zip(given) {
            *word = given;
        }
        if let (Some(last), used @ 1..) = (self.words.last_mut(), self.vocabulary_len % 64) {
            *last &= (1 << used) - 1;
        }
    }

    /// Denies the tokens that `other` does not allow.
    pub fn intersect(&mut self, other: &Self) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *word &= other.words.get(index).copied().unwrap_or(0);
        }
    }

    /// Whether `token` may be chosen.
    pub fn allows(&self, token: Token) -> bool {
        self.words.get(token.index() / 64).is_some_and(|word| word >> (token.index() % 64) & 1 == 1)
    }

    /// How many tokens may be chosen.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The tokens that may be chosen, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = Token> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let rests = std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)));
            rests
                .take_while(|&rest| rest != 0)
                .map(move |rest| Token(index as u32 * 64 + rest.trailing_zeros()))
        })
    }

    /// Puts -inf in place of the logits of denied tokens.
    pub(super) fn hide_denied(&self, logits: &mut [f32]) -> Result<()> {
        if logits.len() != self.vocabulary_len {
            let reason = format!("is for {} tokens, but there are {}", self.vocabulary_len, logits.len());
            return Err(Error::option("mask", reason));
        }
        for (chunk, &word) in logits.chunks_mut(64).zip(&self.words) {
            match word {
                u64::MAX => {}
                0 => chunk.fill(f32::NEG_INFINITY),
                _ => {
                    for (bit, logit) in chunk.iter_mut().enumerate() {
                        let allowed = word >> bit & 1 == 1;
                        *logit = if allowed { *logit } else { f32::NEG_INFINITY };
                    }
                }
            }
        }
        Ok(())
    }
}
