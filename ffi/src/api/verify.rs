//! What a verification is asked, and what it says.

use pinfold::Check;
use pinfold::verify::{self, Cause, Difference, FileReport, GoldenOutcome, GoldenReport};

use super::store::check;

/// What is verified, and how strictly.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct VerifyOptions {
    /// Names of checkpoints, adapters or goldens; everything if there are none.
    #[uniffi(default)]
    pub names: Vec<String>,
    /// Whether every file is hashed, even one that was not touched since it was hashed last.
    #[uniffi(default = true)]
    pub full_check: bool,
    /// What a log-probability may differ by where another backend or version recorded a golden, in nats.
    #[uniffi(default = 0.1)]
    pub tolerance: f32,
    /// Threads that compute; 0 to choose by the machine.
    #[uniffi(default = 0)]
    pub threads: u32,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        let pinfold::VerifyOptions { names, check, tolerance, threads } = pinfold::VerifyOptions::default();
        Self { names, full_check: check == Check::Full, tolerance, threads }
    }
}

impl From<VerifyOptions> for pinfold::VerifyOptions {
    fn from(options: VerifyOptions) -> Self {
        let VerifyOptions { names, full_check, tolerance, threads } = options;
        Self { names, check: check(full_check), tolerance, threads }
    }
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct VerifyReport {
    /// Whether everything is as pinned, or within the tolerance.
    pub passed: bool,
    /// One for each file, in the order of their names.
    pub files: Vec<FileReport>,
    /// One for each golden, in the order of their names.
    pub goldens: Vec<GoldenReport>,
}

impl From<verify::VerifyReport> for VerifyReport {
    fn from(report: verify::VerifyReport) -> Self {
        let passed = report.passed();
        let verify::VerifyReport { files, goldens } = report;
        Self { passed, files, goldens }
    }
}

/// The outcome for a file.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Enum)]
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
#[uniffi::remote(Enum)]
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
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
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
