//! Which tokens may come next.

use std::sync::Arc;

use llguidance::Matcher;

use super::compile::summary;
use crate::error::{Error, Result};
use crate::sampler::TokenMask;
use crate::vocabulary::Token;

/// The state of a constraint while an output is written: a mask for each step. A clone goes on from the same state.
#[derive(Clone)]
pub struct Masks {
    matcher: Matcher,
    mask: TokenMask,
    /// The tokens that end a generation.
    ends: Arc<[Token]>,
    /// Whether `mask` is that of this step.
    ready: bool,
}

impl Masks {
    pub(super) fn new(mut matcher: Matcher, vocabulary_len: usize, ends: Arc<[Token]>) -> Result<Self> {
        // Only then it says that nothing at all may be written.
        matcher.consume_tokens(&[]).map_err(|error| failed(&error))?;
        let mut masks = Self { matcher, mask: TokenMask::none(vocabulary_len), ends, ready: false };
        // The first mask tells now whether there is a first token.
        masks.mask()?;
        Ok(masks)
    }

    /// The tokens that may come next. Those that end a generation are among them exactly when the output may
    /// end here. None, when it [is complete](Self::is_complete) and there is no such token.
    ///
    /// # Errors
    /// [`Error::BadConstraint`] if the constraint became too complex to follow, or if the vocabulary cannot spell
    /// what it demands.
    pub fn mask(&mut self) -> Result<&TokenMask> {
        if !self.ready {
            let end = self.mask.vocabulary_len();
            if self.is_complete() {
                self.mask.deny_all();
                self.allow_ends();
            } else {
                let allowed = self.matcher.compute_mask().map_err(|error| failed(&error))?;
                self.mask.set_words(allowed.as_slice());
                if allowed.get(end) {
                    self.allow_ends();
                }
            }
            self.ready = true;
        }
        Ok(&self.mask)
    }

    /// Whether the output may end here.
    ///
    /// # Errors
    /// Those of [`mask`](Self::mask).
    pub fn may_end(&mut self) -> Result<bool> {
        Ok(self.is_complete() || self.matcher.is_accepting().map_err(|error| failed(&error))?)
    }

    /// Whether the output is whole, and nothing else may follow.
    pub fn is_complete(&self) -> bool {
        self.matcher.is_stopped() && !self.matcher.is_error()
    }

    /// Whether `token` may come next. The same as asking the [mask](Self::mask), but quicker for a few tokens.
    ///
    /// # Errors
    /// Those of [`mask`](Self::mask).
    pub fn allows(&mut self, token: Token) -> Result<bool> {
        if self.ends.contains(&token) {
            return self.may_end();
        }
        if self.is_complete() {
            return Ok(false);
        }
        Ok(self.matcher.validate_tokens(&[token.0]).map_err(|error| failed(&error))? == 1)
    }

    /// Notes that `token`, one that was allowed, comes next. One that ends the generation changes nothing.
    ///
    /// # Errors
    /// [`Error::BadConstraint`] if it was not allowed, or if the constraint became too complex to follow.
    pub fn accept(&mut self, token: Token) -> Result<()> {
        if self.ends.contains(&token) {
            return Ok(());
        }
        self.ready = false;
        self.matcher.consume_token(token.0).map_err(|error| failed(&error))
    }

    fn allow_ends(&mut self) {
        for &token in self.ends.iter() {
            self.mask.allow(token);
        }
    }
}

fn failed(error: &impl std::fmt::Display) -> Error {
    let reason = format!("no token can follow, or it is too complex: {}", summary(error));
    Error::BadConstraint { reason }
}
