//! Prompt files in the Dotprompt format.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::conversation::{Conversation, Turn};
use super::seal::Markers;
use crate::constraint::Constraint;
use crate::error::{Error, Result};
use crate::sampler::Sampling;

/// The variables of a prompt, by name.
pub type Values = Map<String, Value>;

/// A prompt file.
#[derive(Debug, Clone)]
pub struct PromptFile {
    path: PathBuf,
}

/// What the front matter says about generation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PromptConfig {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens at most.
    pub max_tokens: Option<u32>,
    /// Texts that end the generation.
    pub stop: Vec<String>,
}

impl PromptFile {
    /// Reads a prompt file; partials (`_name.prompt`) are looked for beside it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadPrompt`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { path: path.as_ref().to_owned() })
    }

    /// The name of the model: in the lock, of an embedded checkpoint, or of a server.
    pub fn model(&self) -> Option<&str> {
        None
    }

    /// What the front matter says about generation.
    pub fn config(&self) -> PromptConfig {
        PromptConfig::default()
    }

    /// What is done about forged markers (`pinfold.markers`).
    pub fn markers(&self) -> Markers {
        Markers::default()
    }

    /// The output that is declared, for these values (quotes are of values).
    ///
    /// # Errors
    /// [`Error::BadVariable`].
    pub fn output(&self, _values: &Values) -> Result<Option<Constraint>> {
        Ok(None)
    }

    /// The conversation for these values, with the turns before.
    ///
    /// # Errors
    /// [`Error::BadVariable`].
    pub fn render(&self, _values: &Values, _history: &[Turn]) -> Result<Conversation> {
        Err(Error::engine(format!("{}: not there yet", self.path.display())))
    }
}
