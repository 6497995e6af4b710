//! What a backend is asked, and what it answers.

use serde_json::Value;

use crate::cancel::Cancel;
use crate::constraint::Constraint;
use crate::error::Result;
use crate::prompt::{Content, Conversation, Markers, PromptFile, Role, Text, ToolCall, Turn, Values};
use crate::runtime::FinishReason;
use crate::sampler::Sampling;

/// What a backend is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The conversation to go on with, with the tools that may be called.
    pub conversation: Conversation,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens at most; `None` for as many as fit.
    pub max_tokens: Option<u32>,
    /// Texts that end the answer. They are not part of it.
    pub stop: Vec<String>,
    /// What the answer must be, unless it calls tools.
    pub output: Option<Constraint>,
    /// Whether a tool has to be called.
    pub tool_choice: ToolChoice,
    /// What is done about values that forge markers.
    pub markers: Markers,
    /// Stops it from another thread.
    pub cancel: Cancel,
}

/// Whether a tool has to be called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// An answer without a call is an error.
    Required,
}

/// What a backend answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text, without the calls of tools.
    pub text: String,
    /// The output as a value, if one was declared.
    pub value: Option<Value>,
    /// The calls of tools. Their arguments are maps, checked by the schemas of the tools, and sealed.
    pub tool_calls: Vec<ToolCall>,
    /// How it ended.
    pub finish: FinishReason,
    /// Tokens of the prompt, as far as the backend tells.
    pub prompt_tokens: Option<u32>,
    /// Of these, how many were not computed again.
    pub cached_tokens: Option<u32>,
    /// Tokens of the answer.
    pub generated_tokens: Option<u32>,
    /// Markers in values whose spelling was broken ([`Markers::Neutralize`]), if the backend seals its prompts itself.
    pub neutralized: Option<u32>,
    /// Seconds from the request to the end.
    pub seconds: f64,
}

impl Request {
    /// What a prompt asks with these values, after these turns.
    ///
    /// # Errors
    /// Those of [`PromptFile::render`] and [`PromptFile::output`].
    pub fn new(prompt: &PromptFile, values: &Values, history: &[Turn]) -> Result<Self> {
        let config = prompt.config();
        Ok(Self {
            sampling: config.sampling,
            max_tokens: config.max_tokens,
            stop: config.stop,
            output: prompt.output(values)?,
            markers: prompt.markers(),
            ..Self::from(prompt.render(values, history)?)
        })
    }
}

/// A request that is greedy and has no limits of its own.
impl From<Conversation> for Request {
    fn from(conversation: Conversation) -> Self {
        Self {
            conversation,
            sampling: Sampling::default(),
            max_tokens: None,
            stop: Vec::new(),
            output: None,
            tool_choice: ToolChoice::default(),
            markers: Markers::default(),
            cancel: Cancel::default(),
        }
    }
}

impl Reply {
    /// The reply as a turn, to go on with the conversation. What the model said is sealed.
    pub fn turn(&self) -> Turn {
        let mut turn = Turn::new(Role::Assistant, Text::sealed(self.text.as_str()));
        if self.text.is_empty() && !self.tool_calls.is_empty() {
            // Some templates refuse a turn without text and others one without the key.
            turn.content = Some(Content::Text(Text::new()));
        }
        turn.tool_calls = self.tool_calls.clone();
        turn
    }
}
