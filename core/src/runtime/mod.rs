//! Sessions, streams, and the worker that computes for them.
//!
//! One worker thread owns the context of a model. A [`Session`] is a sequence in it; the worker
//! schedules all sequences that have work into common batches. A [`Stream`] is pulled by its reader:
//! the worker runs ahead by a bounded number of pieces and then waits.

mod job;
mod pipe;
pub(crate) mod saved;
mod scheduler;
mod sequence;
mod session;
mod stream;
mod text;
pub(crate) mod worker;

pub use session::Session;
pub use stream::{Completion, Stream};

use crate::cancel::Cancel;
use crate::constraint::Constraint;
use crate::sampler::{Sampling, TokenLogprob};
use crate::vocabulary::Token;

/// How a session behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// What happens when the context is full. `None`: an
    /// [`Error::ContextFull`](crate::Error::ContextFull) with the numbers, and nothing is lost. A number: the
    /// session slides. Its first so many tokens stay (e.g. those of the instructions) and the oldest half of the
    /// others is dropped, so that it can go on for ever; the model loses what was dropped.
    pub slide_keep: Option<u32>,
}

/// What to generate, and when to stop.
#[derive(Debug, Clone, Default)]
pub struct GenerateOptions {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens at most; `None` for no limit of its own: the model ends its text, or the context is full, which
    /// is an error unless the session slides.
    pub max_tokens: Option<u32>,
    /// What the text must be. Only tokens that lead to such a text are chosen; once it is whole and nothing may
    /// follow, the generation ends. [`Completion::value`] gives the value.
    pub constraint: Option<Constraint>,
    /// Texts that end the generation; they are not part of its text. One of them also ends a text that a
    /// `constraint` asks for, whole or not.
    pub stop: Vec<String>,
    /// For each token its log-probability and those of so many others, the likeliest first.
    pub logprobs: Option<u32>,
    /// Stops the generation from another thread.
    pub cancel: Cancel,
}

/// A piece of a generation: at least one character of whole UTF-8, or the tokens at the end that added
/// no text.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// The text; empty only at the end of a generation.
    pub text: String,
    /// The tokens that were sampled since the piece before.
    pub tokens: Vec<GeneratedToken>,
}

/// A token that was sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedToken {
    /// The token.
    pub token: Token,
    /// The natural logarithm of its probability, before any filter and constraint, if it was asked for.
    pub logprob: Option<f32>,
    /// The likeliest tokens with theirs, if they were asked for.
    pub top: Vec<TokenLogprob>,
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended its text, or what the constraint asks for is whole.
    EndOfGeneration,
    /// A stop text appeared.
    Stop,
    /// `max_tokens` were generated.
    Length,
    /// It was cancelled, or its session was dropped.
    Cancelled,
}

/// How a generation ended, and what it cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finish {
    /// Why it ended.
    pub reason: FinishReason,
    /// Tokens that were computed before the first new one; less than the session holds where a prefix
    /// was computed before.
    pub prompt_tokens: u32,
    /// Tokens that were generated; the one that ended the generation is not counted.
    pub generated_tokens: u32,
    /// Seconds until the first token was sampled.
    pub prompt_seconds: f64,
    /// Seconds from then to the end.
    pub generation_seconds: f64,
}
