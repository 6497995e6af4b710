//! `pinfold.lock`: what an app runs, pinned by digest. `docs/guide/lock-file.md` describes the format.
//!
//! [`Lock`] is its contents, read strictly; [`LockFile`] the file, which can be edited without touching what
//! a person wrote around the edit. [`LockFile::resolve`] turns a name into a file with exactly the pinned
//! bytes, or into an error.

mod edit;
mod edit_value;
mod fault;
mod field;
mod file;
mod golden;
mod header;
mod node;
mod parse;
mod pins;
mod resolve;
mod sampling;
mod save;
mod source;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use file::LockFile;
pub use header::{HeaderDifference, HeaderField};
pub use parse::{MAX_BYTES, check_name};
pub use source::{Reference, Source};

use crate::checkpoint::Digest;
use crate::prompt::Message;
use crate::sampler::Sampling;

/// The version of the format that is written; older ones are read, newer ones refused.
pub const VERSION: u32 = 1;

/// The name of the file.
pub const FILE_NAME: &str = "pinfold.lock";

/// The contents of a lock file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// The checkpoints by their names.
    pub checkpoints: BTreeMap<String, CheckpointPin>,
    /// The adapters by their names.
    pub adapters: BTreeMap<String, AdapterPin>,
    /// Named settings of the sampler.
    pub sampling: BTreeMap<String, Sampling>,
    /// The goldens by their names.
    pub goldens: BTreeMap<String, Golden>,
}

/// The bytes of a file: what they are, and where they can be had.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePin {
    /// Where the bytes can be had; tried in this order. At least one.
    pub sources: Vec<Source>,
    /// Their digest.
    pub sha256: Digest,
    /// Their number.
    pub size: u64,
    /// The licence of the weights, as an SPDX expression or in words.
    pub licence: String,
    /// A minisign signature of the bytes: the text of a `.minisig` file.
    pub minisig: Option<String>,
}

/// A pinned checkpoint. All but [`file`](Self::file) is what the preflight read from its header.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointPin {
    /// The file.
    pub file: FilePin,
    /// The architecture: `llama`, `bert`...
    pub architecture: String,
    /// How the weights are quantized: `Q4_K_M`, `F16`...
    pub quantization: String,
    /// Tokens of context that it was trained on.
    pub context_length: u32,
    /// The digest of all tokenizer metadata but the chat template.
    pub tokenizer_sha256: Digest,
    /// The digest of the chat template, if there is one.
    pub chat_template_sha256: Option<Digest>,
}

/// A pinned adapter (LoRA), bound to its base.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterPin {
    /// The file.
    pub file: FilePin,
    /// The architecture of the base.
    pub architecture: String,
    /// The name of the base among the checkpoints of the same lock file.
    pub base: String,
    /// The digest of the base: equal to that which the lock file pins it to.
    pub base_sha256: Digest,
}

/// A generation that was recorded, to be replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Golden {
    /// The name of the checkpoint in the same lock file.
    pub checkpoint: String,
    /// What the model was given.
    pub input: GoldenInput,
    /// How tokens were chosen.
    pub sampling: Sampling,
    /// The name of the settings in `[sampling]` that these were when they were recorded, if they have one.
    pub preset: Option<String>,
    /// Tokens at most.
    pub max_tokens: u32,
    /// Texts that end the generation.
    pub stop: Vec<String>,
    /// The outcome.
    pub expected: Expected,
    /// By what it was recorded.
    pub recorded: Recorded,
}

/// What the model is given in a golden.
#[derive(Debug, Clone, PartialEq)]
pub enum GoldenInput {
    /// A prompt as it is; special tokens in it are parsed.
    Text(String),
    /// Messages, through the checkpoint's chat template.
    Messages(Vec<Message>),
}

/// The outcome of a golden.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The digest of the prompt's tokens, each as four bytes, little endian.
    pub prompt_sha256: Digest,
    /// The generated tokens.
    pub tokens: Vec<u32>,
    /// Their text.
    pub text: String,
    /// The natural logarithm of the probability of each token, before any filter, rounded to thousandths.
    pub logprobs: Vec<f32>,
    /// Why the generation ended: `end_of_generation`, `stop` or `length`.
    pub finish: String,
}

/// What recorded a golden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The version of Pinfold.
    pub runtime: String,
    /// What computed: `cpu avx2`, `scripted`...
    pub backend: String,
    /// The revision of llama.cpp.
    pub llama_cpp: String,
}

/// A name that was resolved: a file that holds exactly the pinned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The name in the lock file.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its digest, which was checked.
    pub digest: Digest,
    /// A minisign signature of it, if the lock file carries one.
    pub minisig: Option<String>,
}
