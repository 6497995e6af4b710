//! Chat templates: the Jinja text in a checkpoint that turns a conversation into a prompt.

use std::sync::Arc;
use std::time::SystemTime;

use super::conversation::{Conversation, Turn};
use super::data::Data;
use super::jinja::Template;
use super::text::Text;
use crate::error::{Error, Result};

/// The most bytes that a template itself may have. Real ones stay below 100 KB.
const SOURCE_LIMIT: usize = 1 << 20;

/// The variables that a conversation gives by itself.
const OWN: [&str; 6] = ["messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token"];

/// A chat template, ready to render; checked as far as that is possible without messages.
///
/// It renders as `apply_chat_template` of Hugging Face's transformers does: Jinja2 with Python's types and
/// methods, `raise_exception`, `strftime_now`, `tojson`, `{% break %}`, and no HTML escapes.
/// `{% generation %}`, which marks what to train on, is a block without effect. A template comes with a
/// checkpoint and is not to be trusted: it reads nothing but its arguments, and its work, its output and how
/// deep it is nested are bounded.
///
/// What it writes is a [`Text`]: the bytes of values stay sealed, whatever the template does to them. Numbers
/// that a template writes, and the `True` of a flag, are its own.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    template: Arc<Template>,
    source: Arc<str>,
    now: Option<SystemTime>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] if it is not Jinja, is longer than 1 MiB or nested too deeply.
    pub fn new(source: &str) -> Result<Self> {
        if source.len() > SOURCE_LIMIT {
            return Err(failed(format!("it has {} bytes, but may have {SOURCE_LIMIT}", source.len())));
        }
        let template = Arc::new(Template::new(source).map_err(failed)?);
        Ok(Self { template, source: source.into(), now: None, bos: String::new(), eos: String::new() })
    }

    /// Makes the template see the time `now` instead of the clock's, for the same prompt every time.
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Gives the spellings of the tokens that begin and end a sequence; empty if there is none, as without
    /// this call.
    pub fn with_tokens(mut self, bos: impl Into<String>, eos: impl Into<String>) -> Self {
        (self.bos, self.eos) = (bos.into(), eos.into());
        self
    }

    /// The template as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The prompt for a conversation.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] if the template refuses the conversation (`raise_exception`), does something
    /// that is not defined, writes more than 10 MiB or does not end, and for a variable that takes the name
    /// of one that a conversation has. The reason quotes the template only: no message, no other value.
    pub fn render(&self, conversation: &Conversation) -> Result<Text> {
        if let Some((name, _)) = conversation.variables.iter().find(|(name, _)| OWN.contains(&name.as_str()))
        {
            return Err(failed(format!("the conversation itself gives the variable {name:?}")));
        }
        // As transformers does: none instead of an empty list.
        let list = |items: &[Data]| if items.is_empty() { Data::Null } else { Data::List(items.to_vec()) };
        self.render_variables(|name| {
            Some(match name {
                "messages" => Data::List(conversation.turns.iter().map(Turn::data).collect()),
                "tools" => list(&conversation.tools),
                "documents" => list(&conversation.documents),
                "add_generation_prompt" => Data::Bool(conversation.add_generation_prompt),
                "bos_token" => Data::author(self.bos.as_str()),
                "eos_token" => Data::author(self.eos.as_str()),
                _ => {
                    let found = conversation.variables.iter().find(|(other, _)| other == name);
                    return found.map(|(_, value)| value.clone());
                }
            })
        })
    }

    fn render_variables(&self, variable: impl Fn(&str) -> Option<Data>) -> Result<Text> {
        let now = self.now.unwrap_or_else(SystemTime::now);
        self.template.render(now, variable).map_err(failed)
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::ChatTemplate { reason: reason.into() }
}

#[cfg(test)]
#[path = "chat_template_tests.rs"]
mod tests;
