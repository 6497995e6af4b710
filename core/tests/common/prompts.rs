//! Prompt files of texts.

use pinfold::Result;
use pinfold::prompt::{PromptFile, PromptParts, Values};
use serde_json::Value;

/// Partials by name.
pub fn parts(partials: &[(&str, &str)]) -> PromptParts {
    let partials = partials.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    PromptParts { partials, ..PromptParts::default() }
}

/// The prompt of a text.
pub fn prompt(text: &str) -> Result<PromptFile> {
    PromptFile::from_text("x.prompt", text, &PromptParts::default())
}

/// Variables by name.
pub fn values(values: Value) -> Values {
    values.as_object().unwrap().clone()
}
