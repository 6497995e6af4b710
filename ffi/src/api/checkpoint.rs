//! What is in a checkpoint file, and the checkpoints that ship with Pinfold.

use pinfold::{MemoryEstimate, ModelOptions, checkpoint};

use super::Result;

/// What is in a checkpoint file whose header passed the preflight.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CheckpointInfo {
    /// The name that its author gave it.
    pub name: Option<String>,
    /// The architecture: `llama`, `bert`...
    pub architecture: String,
    /// How the weights are quantized: `Q4_K_M`, `F16`...
    pub quantization: String,
    /// The licence, as an SPDX expression or in words.
    pub licence: Option<String>,
    /// The number of parameters.
    pub parameters: u64,
    /// The bytes of all tensors.
    pub weight_bytes: u64,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The number of layers.
    pub layers: u32,
    /// The width of an embedding.
    pub width: u32,
    /// The number of tokens of the vocabulary.
    pub vocabulary: u32,
    /// The class of its tokenizer: `llama` (SentencePiece), `gpt2` (BPE), `bert` (WordPiece)...
    pub tokenizer: String,
    /// The chat template (Jinja), if the file has one.
    pub chat_template: Option<String>,
    /// The memory that it takes with the options that were given.
    pub memory: MemoryEstimate,
}

/// A checkpoint that is compiled into the library.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct EmbeddedInfo {
    /// What `Model.load_embedded` takes.
    pub name: String,
    /// What it does, in a line.
    pub summary: String,
    /// The licence of the weights, as an SPDX expression.
    pub licence: String,
    /// The bytes of the file.
    pub bytes: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub digest: String,
}

/// Reads the header of the checkpoint at `path` and runs the preflight, without loading the weights.
///
/// # Errors
/// `Io` if it cannot be read, `BadCheckpoint` if it would not run.
#[uniffi::export(default(options))]
pub fn inspect_checkpoint(path: String, options: ModelOptions) -> Result<CheckpointInfo> {
    let found = checkpoint::open(&path)?;
    let shape = found.hyperparameters();
    Ok(CheckpointInfo {
        name: found.name().map(str::to_owned),
        architecture: found.architecture().to_owned(),
        quantization: found.quantization().to_owned(),
        licence: found.license().map(str::to_owned),
        parameters: found.parameters(),
        weight_bytes: found.weight_bytes(),
        context_length: shape.context_length,
        layers: shape.layers,
        width: shape.width,
        vocabulary: shape.vocabulary,
        tokenizer: found.tokenizer().to_owned(),
        chat_template: found.chat_template().map(str::to_owned),
        memory: options.estimate(&found),
    })
}

/// The checkpoints that are compiled into the library, in the order of their names.
#[uniffi::export]
pub fn embedded_checkpoints() -> Vec<EmbeddedInfo> {
    #[cfg(feature = "llama")]
    return pinfold_checkpoints::all()
        .iter()
        .map(|embedded| EmbeddedInfo {
            name: embedded.name.to_owned(),
            summary: embedded.summary.to_owned(),
            licence: embedded.licence.to_owned(),
            bytes: embedded.bytes.len() as u64,
            digest: embedded.digest().to_string(),
        })
        .collect();
    #[cfg(not(feature = "llama"))]
    Vec::new()
}
