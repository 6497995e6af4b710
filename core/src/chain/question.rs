//! A question to a person.

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::prompt::{Content, Conversation, Part, PromptFile, Values};

/// A question that a chain stopped at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// The step.
    pub step: String,
    /// What is asked: text with values in it, which may have been written by a model.
    pub text: String,
    /// The JSON schema of the answer.
    pub schema: Value,
}

impl Question {
    pub(super) fn new(step: &str, prompt: &PromptFile, values: &Values) -> Result<Self> {
        let text = texts(&prompt.render(values, &[])?);
        Ok(Self { step: step.to_owned(), text, schema: prompt.output_type() })
    }
}

/// The texts of a conversation, with an empty line between two turns.
fn texts(conversation: &Conversation) -> String {
    let text = |content: &Content| match content {
        Content::Text(text) => text.as_str().to_owned(),
        Content::Parts(parts) => {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text { text } => Some(text.as_str()),
                _ => None,
            });
            texts.collect()
        }
    };
    let turns = conversation.turns.iter().filter_map(|turn| turn.content.as_ref());
    turns.map(text).collect::<Vec<_>>().join("\n\n")
}
