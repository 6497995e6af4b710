//! Proof that what is pinned still gives what it gave: digests, preflight, and goldens replayed.
//!
//! A file is looked at before its goldens: what changed in it is named, as far as its header and the digests of the
//! lock file can tell. `docs/guide/goldens.md` describes goldens, and how they compare.

mod files;
mod golden;
mod plan;
#[cfg(test)]
mod plan_tests;
mod report;
mod steps;
#[cfg(test)]
mod tests;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::lock::{Golden, GoldenInput, LockFile};
use crate::model::Model;
use crate::sampler::Sampling;
use crate::store::{Check, Store};

/// What is verified, and how strictly.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyOptions {
    /// Names of checkpoints, adapters or goldens; everything if there are none.
    pub names: Vec<String>,
    /// How files are checked. Full by default.
    pub check: Check,
    /// What a log-probability may differ by where another backend or version recorded a golden, in nats.
    pub tolerance: f32,
    /// Threads that compute; 0 to choose by the machine.
    pub threads: u32,
}

/// Is told what is looked at, the number of things done and those there are.
pub type VerifyProgress<'a> = &'a mut dyn FnMut(&str, u32, u32);

/// What watches a verification.
#[derive(Default)]
pub struct VerifyWatch<'a> {
    /// Called on the calling thread with the name of what is looked at; once more at the end, with no name.
    pub progress: Option<VerifyProgress<'a>>,
    /// Stops it from another thread.
    pub cancel: Cancel,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyReport {
    /// One for each file, in the order of their names.
    pub files: Vec<FileReport>,
    /// One for each golden, in the order of their names.
    pub goldens: Vec<GoldenReport>,
}

/// The outcome for a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// Its name in the lock file.
    pub name: String,
    /// Whether it is as pinned.
    pub passed: bool,
    /// What is wrong, with what changed in it as far as that can be said; empty if nothing is.
    pub causes: Vec<Cause>,
    /// The same in words, for people.
    pub detail: String,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The file is not on this machine.
    Missing,
    /// The bytes of the weights, or others that nothing below names.
    Weights,
    /// The tokenizer.
    Tokenizer,
    /// The chat template.
    ChatTemplate,
    /// Other metadata of the file.
    Metadata,
    /// The file would not run: the preflight refused it.
    Preflight,
    /// The lock file contradicts itself or the file: an adapter's base, an architecture.
    Lock,
    /// The tokens of the prompt: the input, the tokenizer or the chat template.
    Prompt,
    /// The probabilities: the weights, or how they are computed.
    Computation,
    /// The probabilities are as recorded, but another token was chosen: the sampler or its settings.
    Sampler,
}

/// How a golden compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldenOutcome {
    /// The same, token for token and byte for byte.
    Same,
    /// Recorded by another backend or version: tokens differ, but within the tolerance.
    WithinTolerance,
    /// Not the same.
    Different,
    /// It could not be replayed, see the cause.
    NotRun,
}

/// The outcome for a golden.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenReport {
    /// Its name.
    pub name: String,
    /// The name of its checkpoint.
    pub checkpoint: String,
    /// How it compares.
    pub outcome: GoldenOutcome,
    /// Whether the same backend and version recorded it, so that it was compared byte for byte.
    pub exact: bool,
    /// What changed, if anything did.
    pub cause: Option<Cause>,
    /// The first difference.
    pub difference: Option<Difference>,
    /// The largest difference of a log-probability from the recorded one, in nats.
    pub deviation: f32,
    /// All of it in words, for people.
    pub detail: String,
}

/// Where a golden differs first.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The index of the token among the generated ones.
    pub index: u32,
    /// The token that was recorded; none if the generation went on after the recorded end.
    pub expected_token: Option<u32>,
    /// The token that was chosen now; none if the generation ended.
    pub actual_token: Option<u32>,
    /// The text that was recorded.
    pub expected_text: String,
    /// The text that is generated now.
    pub actual_text: String,
    /// The logit of the token chosen now less that of the recorded one, before any filter.
    pub margin: Option<f32>,
}

impl VerifyReport {
    /// Whether everything is as pinned, or within the tolerance.
    pub fn passed(&self) -> bool {
        self.files.iter().all(|file| file.passed)
            && self
                .goldens
                .iter()
                .all(|golden| matches!(golden.outcome, GoldenOutcome::Same | GoldenOutcome::WithinTolerance))
    }
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { names: Vec::new(), check: Check::Full, tolerance: 0.1, threads: 0 }
    }
}

/// Checks the files and replays the goldens of a lock file.
///
/// The name of a checkpoint stands for its file and its goldens, that of a golden for itself and the file of its
/// checkpoint, that of an adapter for its file and that of its base. One model is loaded at a time,
/// [reproducibly](crate::ModelOptions::reproducible).
///
/// # Errors
/// [`Error::NotPinned`](crate::Error::NotPinned) for an unknown name,
/// [`Error::InvalidOption`](crate::Error::InvalidOption), [`Error::Cancelled`](crate::Error::Cancelled), those of the
/// store. What is wrong with a pin stands in the report.
pub fn verify(
    lock: &LockFile,
    store: &Store,
    options: &VerifyOptions,
    watch: VerifyWatch<'_>,
) -> Result<VerifyReport> {
    plan::verify(lock, store, options, watch, &plan::load)
}

/// What is to be recorded as a golden.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenRequest {
    /// The name of the checkpoint in the lock file.
    pub checkpoint: String,
    /// What the model is given.
    pub input: GoldenInput,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The name of these settings in the lock file, if they have one.
    pub preset: Option<String>,
    /// Tokens at most.
    pub max_tokens: u32,
    /// Texts that end the generation.
    pub stop: Vec<String>,
}

/// The [context](crate::ModelOptions::context_tokens) that [`verify`] loads the checkpoint with for a golden of this
/// request: 0, which is what it has by default, if prompt and `max_tokens` fit into that. Record with the same, since
/// the positions of some checkpoints depend on it. Any model of the checkpoint can tell.
///
/// # Errors
/// Those of the prompt: [`Error::ChatTemplate`](crate::Error::ChatTemplate), or of
/// [`Model::tokenize`].
pub fn context_tokens(model: &Model, request: &GoldenRequest) -> Result<u32> {
    golden::context_tokens(model, &request.input, request.max_tokens)
}

/// Generates, and gives what is to be pinned. The model must be loaded
/// [reproducibly](crate::ModelOptions::reproducible), with the context of [`context_tokens`].
///
/// A chat template that asks for the time gets 1 January 2025. Where `max_tokens` cut the text in the midst of a
/// character, it ends with U+FFFD.
///
/// # Errors
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for another model, or no token at most;
/// [`Error::ContextFull`](crate::Error::ContextFull) if prompt and `max_tokens` do not fit;
/// [`Error::ChatTemplate`](crate::Error::ChatTemplate), [`Error::Cancelled`](crate::Error::Cancelled), or those of the
/// generation.
pub fn record(model: &Model, request: &GoldenRequest, cancel: &Cancel) -> Result<Golden> {
    golden::record(model, request, cancel)
}

/// Generates again and compares: all of it if this backend and version recorded the golden, else by `tolerance`, see
/// [`VerifyOptions::tolerance`]. Where the outcome differs, the recorded tokens are fed back, so that every step is
/// compared.
///
/// # Errors
/// Those of [`record`].
pub fn replay(
    model: &Model,
    name: &str,
    golden: &Golden,
    tolerance: f32,
    cancel: &Cancel,
) -> Result<GoldenReport> {
    golden::replay(model, name, golden, tolerance, None, cancel)
}
