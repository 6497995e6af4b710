//! Few-shot examples of a prompt: `pinfold.examples` in the front matter, `{{#each examples}}` in the body.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{PromptFile, Values};
use crate::cancel::Cancel;
use crate::digest::Digest;
use crate::embedder::Embedder;
use crate::error::{Error, Result};
use crate::few_shot::{self, FewShot};

/// The variable of the body.
const VARIABLE: &str = "examples";

/// The examples of a prompt, with what chooses them.
#[derive(Debug, Clone)]
pub(super) struct Examples {
    few: Arc<FewShot>,
    embedder: Option<Embedder>,
}

impl PromptFile {
    /// The few-shot examples (`pinfold.examples`).
    pub fn few_shot(&self) -> Option<&FewShot> {
        self.examples.as_ref().map(|examples| &*examples.few)
    }

    /// The same prompt, with what embeds examples that are [chosen by likeness](crate::few_shot).
    #[must_use]
    pub fn with_embedder(mut self, embedder: Embedder) -> Self {
        if let Some(examples) = &mut self.examples {
            examples.embedder = Some(embedder);
        }
        self
    }

    /// Whether the front matter has examples, and so the body a variable for them.
    pub(super) fn gives(&self, variable: &str) -> bool {
        variable == VARIABLE && self.extension("pinfold.examples").is_some()
    }

    /// Reads the examples; their file is looked for in `folder`.
    pub(super) fn with_examples(mut self, folder: Option<&Path>) -> Result<Self> {
        let Some(declared) = self.extension("pinfold.examples") else { return Ok(self) };
        if self.front.input.as_ref().is_some_and(|schema| schema.declares(VARIABLE)) {
            let reason = "it cannot be an input too: the prompt itself gives it (`pinfold.examples`)";
            return Err(self.bad_variable(VARIABLE, reason));
        }
        let place = few_shot::Place { path: self.path().to_owned(), line: declared.line };
        let few = FewShot::read(&declared.value, place, folder)?;
        let inputs = self.variables();
        few.check(&inputs.iter().map(String::as_str).collect::<Vec<_>>())?;
        if let Some(file) = few.file_digest() {
            self.digest = Digest::of_bytes(format!("{}\n{file} {VARIABLE}\n", self.digest).as_bytes());
        }
        self.examples = Some(Examples { few: Arc::new(few), embedder: None });
        Ok(self)
    }

    /// The variables of the body: the values, and the examples that are chosen by them.
    pub(super) fn shown(&self, values: &Values) -> Result<Values> {
        let mut shown = values.clone();
        if let Some(Examples { few, embedder }) = &self.examples {
            if values.contains_key(VARIABLE) {
                return Err(Error::BadVariable {
                    path: self.path().to_owned(),
                    line: few.line(),
                    name: VARIABLE.to_owned(),
                    reason: "is given by the prompt itself (`pinfold.examples`)".to_owned(),
                });
            }
            let chosen = few.select(values, embedder.as_ref(), &Cancel::default())?;
            let chosen = chosen.into_iter().cloned().map(Value::Object).collect();
            shown.insert(VARIABLE.to_owned(), Value::Array(chosen));
        }
        Ok(shown)
    }
}
