//! Penalties for tokens that were used lately.

use super::options::Sampling;
use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// The three penalties. Their window is the end of the history.
#[derive(Debug, Clone)]
pub(super) struct Penalties {
    window: usize,
    repetition: f32,
    frequency: f32,
    presence: f32,
    /// How often each token stands in the window; all zeros between calls.
    counts: Vec<u32>,
}

impl Penalties {
    pub fn new(options: &Sampling) -> Self {
        let (repetition, frequency, presence) =
            (options.repetition_penalty, options.frequency_penalty, options.presence_penalty);
        let off = repetition == 1.0 && frequency == 0.0 && presence == 0.0;
        let window = if off { 0 } else { options.penalty_window as usize };
        Self { window, repetition, frequency, presence, counts: Vec::new() }
    }

    /// Whether [`apply`](Self::apply) would change anything.
    pub fn apply_to(&self, history: &[Token]) -> bool {
        self.window > 0 && !history.is_empty()
    }

    /// Changes the logits of the tokens in the window.
    pub fn apply(&mut self, logits: &mut [f32], history: &[Token]) -> Result<()> {
        let window = &history[history.len().saturating_sub(self.window)..];
        if let Some(token) = window.iter().find(|token| token.index() >= logits.len()) {
            return Err(Error::UnknownToken { token: i64::from(token.0), vocabulary: logits.len() });
        }
        if window.is_empty() {
            return Ok(());
        }
        self.counts.resize(logits.len(), 0);
        for token in window {
            self.counts[token.index()] += 1;
        }
        for token in window {
            let count = std::mem::take(&mut self.counts[token.index()]);
            if count > 0 {
                let logit = &mut logits[token.index()];
                *logit = if *logit > 0.0 { *logit / self.repetition } else { *logit * self.repetition };
                *logit -= count as f32 * self.frequency + self.presence;
            }
        }
        Ok(())
    }
}
