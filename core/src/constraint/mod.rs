//! Constraints on what a model writes.

use serde_json::Value;

use crate::error::{Error, Result};

/// What an output must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// JSON of this schema. A string with `"x-quote": TEXT` is a substring of that text.
    JsonSchema(Value),
    /// A text that matches a regular expression as a whole.
    Regex(String),
    /// One of these texts.
    Choice(Vec<String>),
    /// A text of a grammar, as Lark writes it.
    Lark(String),
    /// A text of a grammar, as llama.cpp writes it.
    Gbnf(String),
    /// A substring of this text.
    Quote(String),
}

impl Constraint {
    /// The value of an output: parsed, and checked against what was declared.
    ///
    /// # Errors
    /// [`Error::BadOutput`] with the text.
    pub fn parse(&self, text: &str) -> Result<Value> {
        Err(Error::BadOutput { reason: "not there yet".into(), text: text.into() })
    }
}
