//! From a [`Text`] to tokens: values never become control.

use std::ops::Range;

use super::chat_template::ChatTemplate;
use super::text::Text;
use crate::engine::Weights;
use crate::error::{Error, Result};
use crate::vocabulary::Token;

/// What is done about a value that spells a marker which is ordinary text for the checkpoint, e.g. `[INST]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Markers {
    /// It is an error.
    #[default]
    Reject,
    /// The spelling is broken.
    Neutralize,
}

/// The tokens of a prompt, and what had to be done for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPrompt {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Spellings of special tokens in values that were split: ranges of bytes of the text.
    pub split: Vec<Range<usize>>,
    /// Markers in values whose spelling was broken: ranges of bytes of the text.
    pub neutralized: Vec<Range<usize>>,
}

/// What must not be forged in the prompts of a checkpoint.
#[derive(Debug, Clone)]
pub struct Sealer {}

impl Sealer {
    /// For a checkpoint and what writes its prompts.
    pub fn new(_weights: &dyn Weights, _template: Option<&ChatTemplate>) -> Self {
        Self {}
    }

    /// The tokens of `text`, without a begin-of-sequence token of its own.
    ///
    /// # Errors
    /// [`Error::ForgedMarker`].
    pub fn tokens(&self, _weights: &dyn Weights, _text: &Text, _markers: Markers) -> Result<SealedPrompt> {
        Err(Error::engine("not there yet"))
    }
}
