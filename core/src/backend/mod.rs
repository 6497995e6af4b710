//! What answers a prompt: this machine, or a server.

use serde_json::Value;

use crate::cancel::Cancel;
use crate::constraint::Constraint;
use crate::error::Result;
use crate::prompt::{Conversation, Markers, PromptFile, ToolCall, Turn, Values};
use crate::runtime::FinishReason;
use crate::sampler::Sampling;

/// What a backend is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The conversation to go on with.
    pub conversation: Conversation,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens at most.
    pub max_tokens: Option<u32>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// What the answer must be.
    pub output: Option<Constraint>,
    /// What is done about values that forge markers.
    pub markers: Markers,
    /// Stops it from another thread.
    pub cancel: Cancel,
}

/// What a backend answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// The output as a value, if one was declared.
    pub value: Option<Value>,
    /// The calls of tools.
    pub tool_calls: Vec<ToolCall>,
    /// How it ended.
    pub finish: FinishReason,
    /// Tokens of the prompt, as far as the backend tells.
    pub prompt_tokens: Option<u32>,
    /// Of these, how many were not computed again.
    pub cached_tokens: Option<u32>,
    /// Tokens of the answer.
    pub generated_tokens: Option<u32>,
    /// Seconds from the request to the end.
    pub seconds: f64,
}

/// What answers a prompt.
pub trait Backend: Send + Sync {
    /// Its name, for tables.
    fn name(&self) -> String;

    /// Answers, and shows the text as it comes.
    ///
    /// # Errors
    /// Of the backend, and [`Error::BadOutput`](crate::Error::BadOutput).
    fn reply(&self, request: &Request, show: &mut dyn FnMut(&str)) -> Result<Reply>;
}

impl Request {
    /// What a prompt asks with these values, after these turns.
    ///
    /// # Errors
    /// Those of [`PromptFile::render`].
    pub fn new(prompt: &PromptFile, values: &Values, history: &[Turn]) -> Result<Self> {
        let config = prompt.config();
        Ok(Self {
            conversation: prompt.render(values, history)?,
            sampling: config.sampling,
            max_tokens: config.max_tokens,
            stop: config.stop,
            output: prompt.output(values)?,
            markers: prompt.markers(),
            cancel: Cancel::default(),
        })
    }
}
