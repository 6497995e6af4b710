//! Checkpoints: GGUF files, read and examined in safe Rust before the engine sees them.
//!
//! [`inspect`] reads the header and says what is there. [`open`] also runs the [`preflight`], which refuses
//! with a typed [`Defect`] whatever would make llama.cpp abort, or read outside the file.

mod adapter;
pub mod architecture;
mod defect;
mod excerpt;
pub mod gguf;
mod identity;
mod memory;
pub mod preflight;

use std::path::Path;

pub use crate::digest::Digest;
pub use adapter::{AdapterFile, open_adapter};
pub use defect::Defect;
pub use excerpt::Excerpt;
pub use gguf::Header;
pub use memory::MemoryEstimate;
pub use preflight::Hyperparameters;

use crate::error::{Error, Result};
use architecture::Architecture;
use gguf::TensorKind;

/// A checkpoint whose header passed the [`preflight`].
#[derive(Debug, Clone)]
pub struct Checkpoint {
    header: Header,
    architecture: &'static Architecture,
    hyperparameters: Hyperparameters,
}

/// Reads the header of the file at `path`, and checks nothing beyond it.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::BadCheckpoint`] if it has no well-formed header.
pub fn inspect(path: impl AsRef<Path>) -> Result<Header> {
    let path = path.as_ref();
    let header = Header::from_path(path).map_err(Error::io(path))?;
    header.map_err(|defect| bad_checkpoint(path.display().to_string(), defect))
}

/// Opens the checkpoint at `path`: reads its header and runs the preflight. The weights are not read.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::BadCheckpoint`] if it would not run.
pub fn open(path: impl AsRef<Path>) -> Result<Checkpoint> {
    let path = path.as_ref();
    let header = inspect(path)?;
    Checkpoint::from_header(header).map_err(|defect| bad_checkpoint(path.display().to_string(), defect))
}

/// Opens a checkpoint whose whole file is in memory; `name` is for messages.
///
/// # Errors
/// [`Error::BadCheckpoint`] if it would not run.
pub fn open_bytes(name: &str, bytes: &[u8]) -> Result<Checkpoint> {
    Header::from_bytes(bytes).and_then(Checkpoint::from_header).map_err(|defect| bad_checkpoint(name, defect))
}

pub(crate) fn bad_checkpoint(name: impl Into<String>, defect: Defect) -> Error {
    Error::BadCheckpoint { name: name.into(), defect: Box::new(defect) }
}

impl Checkpoint {
    /// Runs the preflight on a header.
    ///
    /// # Errors
    /// The first [`Defect`] that was found.
    pub fn from_header(header: Header) -> Result<Self, Defect> {
        let (architecture, hyperparameters) = preflight::check(&header)?;
        Ok(Self { header, architecture, hyperparameters })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The architecture: `llama`, `bert`...
    pub fn architecture(&self) -> &'static str {
        self.architecture.name
    }

    /// What the engine needs to know about the architecture.
    pub fn traits(&self) -> &'static Architecture {
        self.architecture
    }

    /// The name that its author gave it.
    pub fn name(&self) -> Option<&str> {
        self.header.metadata.str("general.name")
    }

    /// The licence, as an SPDX expression or in words.
    pub fn license(&self) -> Option<&str> {
        self.header.metadata.str("general.license")
    }

    /// The checked hyperparameters.
    pub fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyperparameters
    }

    /// The number of parameters: the elements of all tensors.
    pub fn parameters(&self) -> u64 {
        self.header.tensors.iter().filter_map(|tensor| tensor.elements()).fold(0, u64::saturating_add)
    }

    /// The bytes of all tensors.
    pub fn weight_bytes(&self) -> u64 {
        self.header.tensors.iter().filter_map(|tensor| tensor.bytes()).fold(0, u64::saturating_add)
    }

    /// How the weights are quantized: `Q4_K_M`, `F16`... By `general.file_type`, or else by the element type
    /// that takes most of the bytes.
    pub fn quantization(&self) -> &'static str {
        let said = self.header.metadata.u64("general.file_type").and_then(architecture::file_type_name);
        said.unwrap_or_else(|| self.dominant_kind().map_or("F32", TensorKind::name))
    }

    fn dominant_kind(&self) -> Option<TensorKind> {
        let mut bytes = std::collections::BTreeMap::new();
        for tensor in &self.header.tensors {
            let sum: &mut u64 = bytes.entry(tensor.kind.id()).or_default();
            *sum = sum.saturating_add(tensor.bytes().unwrap_or(0));
        }
        let (id, _) = bytes.into_iter().max_by_key(|&(_, bytes)| bytes)?;
        TensorKind::from_id(id)
    }

    /// The class of its tokenizer: `llama` (SentencePiece), `gpt2` (BPE), `bert` (WordPiece)...
    pub fn tokenizer(&self) -> &str {
        self.header.metadata.str("tokenizer.ggml.model").unwrap_or_default()
    }

    /// The rules by which a BPE tokenizer splits text first; only such a tokenizer has them.
    pub fn pre_tokenizer(&self) -> Option<&str> {
        self.header.metadata.str("tokenizer.ggml.pre")
    }

    /// The chat template (Jinja) in the file, if there is one.
    pub fn chat_template(&self) -> Option<&str> {
        self.header.metadata.str("tokenizer.chat_template")
    }

    /// The memory that running it takes, for a context of `context_tokens` tokens over all sequences, decodes
    /// of at most `batch_tokens` tokens, and `sequences` sequences.
    pub fn memory(&self, context_tokens: u32, batch_tokens: u32, sequences: u32) -> MemoryEstimate {
        memory::estimate(self, context_tokens, batch_tokens, sequences)
    }
}
