//! One sequence of the worker: its tokens, and how many of them the engine has computed.

use super::SessionOptions;
use super::job::Job;
use crate::engine::{Engine, Position, SequenceId};
use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// The tokens of a session. The first `decoded` of them are in the engine's cache.
pub(super) struct Sequence {
    pub id: SequenceId,
    pub tokens: Vec<Token>,
    pub decoded: usize,
    /// Another sequence has the same cells in the cache, so they must not be moved.
    pub shared: bool,
    pub options: SessionOptions,
    pub job: Option<Job>,
}

impl Sequence {
    pub fn new(id: SequenceId, options: SessionOptions) -> Self {
        Self { id, tokens: Vec::new(), decoded: 0, shared: false, options, job: None }
    }

    /// How many tokens the engine has yet to compute.
    pub fn pending(&self) -> usize {
        self.tokens.len() - self.decoded
    }

    /// Keeps the first `length` tokens.
    pub fn truncate(&mut self, engine: &mut dyn Engine, length: usize) -> Result<()> {
        self.tokens.truncate(length);
        self.forget_from(engine, length)
    }

    /// Makes at least the last token pending, so that decoding it gives the logits after it.
    pub fn need_logits(&mut self, engine: &mut dyn Engine) -> Result<()> {
        match self.tokens.len() {
            0 => Err(Error::SessionEmpty),
            length => self.forget_from(engine, length - 1),
        }
    }

    /// Makes room for `more` tokens where `free` are free, by dropping the oldest half of what may go.
    /// Returns how many were dropped; an error if it is not enough, and then nothing was.
    pub fn slide(&mut self, engine: &mut dyn Engine, more: usize, free: usize) -> Result<usize> {
        let Some(keep) = self.options.slide_keep else { return Ok(0) };
        let keep = (keep as usize).min(self.tokens.len());
        let movable = self.tokens.len() - keep;
        let dropped = movable.div_ceil(2).max(more.saturating_sub(free));
        if dropped > movable || dropped == 0 {
            return Ok(0);
        }
        self.tokens.drain(keep..keep + dropped);
        if self.decoded <= keep {
            return Ok(dropped);
        }
        let movable_in_place = engine.limits().can_shift && !self.shared && self.decoded >= keep + dropped;
        if movable_in_place {
            let (start, end) = (keep as Position, (keep + dropped) as Position);
            engine.sequence_remove(self.id, start..end)?;
            engine.sequence_shift(self.id, end..self.decoded as Position, -(dropped as i32))?;
            self.decoded -= dropped;
        } else {
            self.forget_from(engine, keep)?;
        }
        Ok(dropped)
    }

    /// Drops what is computed from `length` on. A memory that cannot drop a part is dropped whole, and
    /// computed again.
    fn forget_from(&mut self, engine: &mut dyn Engine, length: usize) -> Result<()> {
        if self.decoded <= length {
            return Ok(());
        }
        match engine.sequence_remove(self.id, length as Position..Position::MAX) {
            Ok(()) => self.decoded = length,
            Err(Error::Unsupported { .. }) => {
                engine.sequence_remove(self.id, 0..Position::MAX)?;
                self.decoded = 0;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
