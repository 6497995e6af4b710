//! The sampler: chooses the next token from the logits. Safe Rust, the same for every engine.
//!
//! The chain is that of llama.cpp, in its default order: logit bias, mask, penalties, top-k, typical,
//! top-p, min-p, temperature, draw. The same logits, [`Sampling`] and seed give the same tokens on every
//! platform and in later versions: numbers come from a named generator ([`GENERATOR`]), exponentials from
//! `libm`, sums run in a fixed order in `f64`, and ties go to the lowest id. `vectors/sampler.toml` pins
//! this for all languages.

mod candidates;
mod logprobs;
mod mask;
mod options;
mod penalties;
mod rng;
mod scan;
#[cfg(test)]
mod tests;

pub use logprobs::{TokenLogprob, top_logprobs};
pub use mask::TokenMask;
pub use options::Sampling;
pub use rng::GENERATOR;

use crate::error::{Error, Result};
use crate::vocabulary::Token;
use candidates::Candidates;
use penalties::Penalties;
use rng::Generator;
use scan::Scan;

/// What a [`Sampler`] chose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The token.
    pub token: Token,
    /// How likely this choice was among the candidates that the filters left; 1 if it was greedy.
    pub probability: f32,
}

/// Chooses tokens by the rules of a [`Sampling`]. Holds the state of the generator and scratch memory,
/// so that a call allocates nothing after the first ones. One for each sequence.
#[derive(Debug, Clone)]
pub struct Sampler {
    options: Sampling,
    vocabulary_len: usize,
    generator: Generator,
    penalties: Penalties,
    /// The logits after bias, mask and penalties; unused while none of them applies.
    adjusted: Vec<f32>,
    scan: Scan,
    candidates: Candidates,
}

impl Sampler {
    /// A sampler for a vocabulary of `vocabulary_len` tokens.
    ///
    /// # Errors
    /// Those of [`Sampling::validate`].
    pub fn new(options: &Sampling, vocabulary_len: usize) -> Result<Self> {
        options.validate(vocabulary_len)?;
        Ok(Self {
            options: options.clone(),
            vocabulary_len,
            generator: Generator::new(options.seed),
            penalties: Penalties::new(options),
            adjusted: Vec::new(),
            scan: Scan::default(),
            candidates: Candidates::default(),
        })
    }

    /// What it was made with.
    pub fn options(&self) -> &Sampling {
        &self.options
    }

    /// How many numbers were drawn so far: one for each token that was chosen at a temperature above 0.
    pub fn draws(&self) -> u64 {
        self.generator.draws()
    }

    /// Goes on as if `draws` numbers had been drawn, to continue or to repeat a sequence.
    pub fn seek(&mut self, draws: u64) {
        self.generator.seek(draws);
    }

    /// Chooses the token that follows `history`, the tokens of the sequence so far (prompt and generated;
    /// only the last [`penalty_window`](Sampling::penalty_window) matter). A logit of -inf is a token that
    /// cannot be chosen, and so is one that `mask` denies. Among equal logits the lowest id comes first.
    ///
    /// A call that fails draws no number.
    ///
    /// # Errors
    /// - [`Error::NoCandidate`] if any logit is NaN or +inf (also of a token that the mask denies, and
    ///   also if the bias or a penalty made it so), if no token is left, or if the vocabulary is empty.
    /// - [`Error::Engine`] if there is not one logit for each token.
    /// - [`Error::InvalidOption`] for a mask of another vocabulary.
    /// - [`Error::UnknownToken`] for a token in the penalty window that is not in the vocabulary.
    pub fn sample(&mut self, logits: &[f32], history: &[Token], mask: Option<&TokenMask>) -> Result<Choice> {
        if logits.len() != self.vocabulary_len {
            let reason = format!("{} logits for {} tokens", logits.len(), self.vocabulary_len);
            return Err(Error::engine(reason));
        }
        let adjust =
            mask.is_some() || !self.options.logit_bias.is_empty() || self.penalties.apply_to(history);
        let logits = if adjust {
            self.adjust(logits, history, mask)?;
            &self.adjusted
        } else {
            logits
        };
        let highest = self.scan.read(logits)?;

        if self.options.temperature == 0.0 {
            return Ok(Choice { token: self.scan.first_of(logits, highest), probability: 1.0 });
        }
        self.candidates.filter(&self.options, logits, highest, &mut self.scan);
        let uniform = self.generator.uniform();
        Ok(self.candidates.draw(f64::from(self.options.temperature), uniform))
    }

    /// The logits after bias and penalties: those that the filters see, and that a greedy choice goes by.
    pub(crate) fn adjusted(&mut self, logits: &[f32], history: &[Token]) -> Result<Vec<f32>> {
        self.adjust(logits, history, None)?;
        Ok(self.adjusted.clone())
    }

    /// Fills `adjusted`.
    fn adjust(&mut self, logits: &[f32], history: &[Token], mask: Option<&TokenMask>) -> Result<()> {
        // The mask would hide what is wrong with the logits that it denies.
        self.scan.read(logits)?;
        self.adjusted.clear();
        self.adjusted.extend_from_slice(logits);
        for (token, bias) in &self.options.logit_bias {
            self.adjusted[token.index()] += bias;
        }
        if let Some(mask) = mask {
            mask.hide_denied(&mut self.adjusted)?;
        }
        self.penalties.apply(&mut self.adjusted, history)
    }
}
