//! Pins of files that were opened, and what of a file's header is not as pinned.

use std::fmt;

use super::{AdapterPin, CheckpointPin, FilePin};
use crate::checkpoint::{AdapterFile, Checkpoint, Digest};

/// What of a checkpoint's header is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderField {
    /// The architecture.
    Architecture,
    /// How the weights are quantized.
    Quantization,
    /// Tokens of context that it was trained on.
    ContextLength,
    /// The tokenizer.
    Tokenizer,
    /// The chat template.
    ChatTemplate,
}

/// Something of a checkpoint's header that is not as pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderDifference {
    /// What it is.
    pub field: HeaderField,
    /// What it is pinned to.
    pub pinned: String,
    /// What the file has.
    pub found: String,
}

impl HeaderField {
    /// In words: `chat template`...
    pub fn name(self) -> &'static str {
        match self {
            Self::Architecture => "architecture",
            Self::Quantization => "quantization",
            Self::ContextLength => "context length",
            Self::Tokenizer => "tokenizer",
            Self::ChatTemplate => "chat template",
        }
    }
}

impl fmt::Display for HeaderDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} is {}, not {} as pinned", self.field.name(), self.found, self.pinned)
    }
}

impl CheckpointPin {
    /// The pin of a checkpoint that was opened.
    pub fn of(checkpoint: &Checkpoint, file: FilePin) -> Self {
        Self {
            file,
            architecture: checkpoint.architecture().to_owned(),
            quantization: checkpoint.quantization().to_owned(),
            context_length: checkpoint.hyperparameters().context_length,
            tokenizer_sha256: checkpoint.tokenizer_digest(),
            chat_template_sha256: checkpoint.chat_template_digest(),
        }
    }

    /// What of the header of a checkpoint is not as pinned here. If there is nothing, and the digest of the file is
    /// another one, then it is the weights or other metadata.
    pub fn differences(&self, checkpoint: &Checkpoint) -> Vec<HeaderDifference> {
        let found = Self::of(checkpoint, self.file.clone());
        let template =
            |digest: Option<Digest>| digest.map_or("absent".to_owned(), |digest| digest.to_string());
        let all = [
            (HeaderField::Architecture, self.architecture.clone(), found.architecture),
            (HeaderField::Quantization, self.quantization.clone(), found.quantization),
            (HeaderField::ContextLength, self.context_length.to_string(), found.context_length.to_string()),
            (HeaderField::Tokenizer, self.tokenizer_sha256.to_string(), found.tokenizer_sha256.to_string()),
            (
                HeaderField::ChatTemplate,
                template(self.chat_template_sha256),
                template(found.chat_template_sha256),
            ),
        ];
        let different = all.into_iter().filter(|(_, pinned, found)| pinned != found);
        different.map(|(field, pinned, found)| HeaderDifference { field, pinned, found }).collect()
    }
}

impl AdapterPin {
    /// The pin of an adapter that was opened, for the checkpoint that is pinned as `base`.
    pub fn of(adapter: &AdapterFile, file: FilePin, base: impl Into<String>, pin: &CheckpointPin) -> Self {
        Self {
            file,
            architecture: adapter.architecture().to_owned(),
            base: base.into(),
            base_sha256: pin.file.sha256,
        }
    }
}
