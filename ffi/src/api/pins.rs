//! What a lock file pins, as values.

use pinfold::lock::{AdapterPin, CheckpointPin, FilePin, Golden};

/// A pinned checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PinnedCheckpoint {
    /// Its name in the lock file.
    pub name: String,
    /// Where the bytes can be had, as the lock file says it; tried in this order.
    pub sources: Vec<String>,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub digest: String,
    /// Their number.
    pub size: u64,
    /// The licence of the weights, as an SPDX expression or in words.
    pub licence: String,
    /// Whether the lock file carries a signature of the bytes.
    pub signed: bool,
    /// The architecture: `llama`, `bert`...
    pub architecture: String,
    /// How the weights are quantized: `Q4_K_M`, `F16`...
    pub quantization: String,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The SHA-256 of all tokenizer metadata but the chat template, in hexadecimal.
    pub tokenizer_digest: String,
    /// The SHA-256 of the chat template, in hexadecimal, if there is one.
    pub chat_template_digest: Option<String>,
}

impl PinnedCheckpoint {
    pub(super) fn new(name: &str, pin: &CheckpointPin) -> Self {
        let FilePin { sources, sha256, size, licence, minisig } = &pin.file;
        Self {
            name: name.to_owned(),
            sources: sources.iter().map(ToString::to_string).collect(),
            digest: sha256.to_string(),
            size: *size,
            licence: licence.clone(),
            signed: minisig.is_some(),
            architecture: pin.architecture.clone(),
            quantization: pin.quantization.clone(),
            context_length: pin.context_length,
            tokenizer_digest: pin.tokenizer_sha256.to_string(),
            chat_template_digest: pin.chat_template_sha256.map(|digest| digest.to_string()),
        }
    }
}

/// A pinned adapter (LoRA), bound to its base.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PinnedAdapter {
    /// Its name in the lock file.
    pub name: String,
    /// Where the bytes can be had, as the lock file says it; tried in this order.
    pub sources: Vec<String>,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub digest: String,
    /// Their number.
    pub size: u64,
    /// The licence of the weights, as an SPDX expression or in words.
    pub licence: String,
    /// Whether the lock file carries a signature of the bytes.
    pub signed: bool,
    /// The architecture of the base.
    pub architecture: String,
    /// The name of the base among the checkpoints of the same lock file.
    pub base: String,
    /// The SHA-256 of the base, in hexadecimal.
    pub base_digest: String,
}

impl PinnedAdapter {
    pub(super) fn new(name: &str, pin: &AdapterPin) -> Self {
        let FilePin { sources, sha256, size, licence, minisig } = &pin.file;
        Self {
            name: name.to_owned(),
            sources: sources.iter().map(ToString::to_string).collect(),
            digest: sha256.to_string(),
            size: *size,
            licence: licence.clone(),
            signed: minisig.is_some(),
            architecture: pin.architecture.clone(),
            base: pin.base.clone(),
            base_digest: pin.base_sha256.to_string(),
        }
    }
}

/// A generation that was recorded, to be replayed by `LockFile.verify`.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PinnedGolden {
    /// Its name in the lock file.
    pub name: String,
    /// The name of its checkpoint in the same lock file.
    pub checkpoint: String,
    /// The text that was generated.
    pub text: String,
    /// The version of Pinfold that recorded it.
    pub runtime: String,
    /// What computed it: `cpu x86_64-linux avx2`, `scripted`...
    pub backend: String,
    /// The revision of llama.cpp.
    pub llama_cpp: String,
}

impl PinnedGolden {
    pub(super) fn new(name: &str, golden: &Golden) -> Self {
        Self {
            name: name.to_owned(),
            checkpoint: golden.checkpoint.clone(),
            text: golden.expected.text.clone(),
            runtime: golden.recorded.runtime.clone(),
            backend: golden.recorded.backend.clone(),
            llama_cpp: golden.recorded.llama_cpp.clone(),
        }
    }
}
