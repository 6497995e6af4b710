//! The type of what a prompt makes, as it is known before there are values.

use serde_json::{Value, json};

use super::PromptFile;
use crate::constraint::Constraint;

impl PromptFile {
    /// The JSON Schema of the output as a value: the one that is declared, that of any JSON, of one of the texts of a
    /// choice, or else of a text.
    pub fn output_type(&self) -> Value {
        match (&self.front.grammar, &self.front.output, self.front.format.as_deref()) {
            (Some((Constraint::Choice(choices), _)), ..) => json!({"enum": choices}),
            (Some((Constraint::JsonSchema(schema), _)), ..) => schema.clone(),
            (Some(_), ..) | (None, _, Some("text")) | (None, None, None) => json!({"type": "string"}),
            (None, Some(schema), _) => schema.json.clone(),
            (None, None, Some(_)) => json!({}),
        }
    }
}
