//! The backend that runs a checkpoint on this machine.

use std::sync::OnceLock;
use std::time::Instant;

use super::calls::CallSyntax;
use super::pool::Pool;
use super::shown::Shown;
use super::tools::Tools;
use super::{Backend, Reply, Request, output};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::prompt::{Content, Part, SealedPrompt};
use crate::runtime::{FinishReason, GenerateOptions};

/// Conversations that are kept.
const SESSIONS: usize = 4;

/// A checkpoint on this machine.
///
/// A conversation is written by the checkpoint's chat template, and its values are sealed. What the prompt has in
/// common with a conversation before is not computed again: a following turn costs its own tokens
/// ([`Reply::cached_tokens`] tells). So that several conversations can take turns, up to four sessions of the model
/// are kept; requests beyond that wait for one. Dropping it closes them.
///
/// Where tools are declared, their calls are read as the chat template writes them. An output that is declared
/// as well is checked then, but does not constrain the generation, since a call would not be that output.
pub struct Local {
    model: Model,
    name: String,
    pool: Pool,
    syntax: OnceLock<CallSyntax>,
}

impl Local {
    /// A backend over `model`; `name` stands in tables.
    pub fn new(name: impl Into<String>, model: Model) -> Self {
        Self { model, name: name.into(), pool: Pool::new(SESSIONS), syntax: OnceLock::new() }
    }

    /// Keeps up to `sessions` conversations, of at least one. They share the context of the model.
    pub fn with_sessions(mut self, sessions: usize) -> Self {
        self.pool = Pool::new(sessions.max(1));
        self
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    fn prompt(&self, request: &Request) -> Result<SealedPrompt> {
        let parts = request.conversation.turns.iter().filter_map(|turn| match &turn.content {
            Some(Content::Parts(parts)) => Some(parts),
            _ => None,
        });
        if parts.flatten().any(|part| !matches!(part, Part::Text { .. })) {
            let what = "images, audio and video: checkpoints read text here".to_owned();
            return Err(Error::Unsupported { what });
        }
        self.model.prompt(&request.conversation, request.markers)
    }

    /// How the chat template writes calls.
    fn syntax(&self) -> Result<&CallSyntax> {
        match self.syntax.get() {
            Some(syntax) => Ok(syntax),
            None => {
                let learned = CallSyntax::learn(self.model.chat_template()?)?;
                Ok(self.syntax.get_or_init(|| learned))
            }
        }
    }
}

impl Backend for Local {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reply(&self, request: &Request, show: &mut dyn FnMut(&str)) -> Result<Reply> {
        let started = Instant::now();
        let tools = Tools::new(&request.conversation.tools)?;
        let syntax = if tools.is_empty() { None } else { Some(self.syntax()?) };
        let SealedPrompt { tokens: prompt, neutralized, .. } = self.prompt(request)?;
        let lease = self.pool.take(&self.model, &prompt, &request.cancel)?;
        let max_tokens = lease.hold(&prompt, request.max_tokens)?;
        let options = GenerateOptions {
            sampling: request.sampling.clone(),
            max_tokens: Some(max_tokens),
            // A call is not the output, so with tools that can only be checked.
            constraint: request.output.clone().filter(|_| tools.is_empty()),
            stop: request.stop.clone(),
            cancel: request.cancel.clone(),
            ..GenerateOptions::default()
        };
        let mut shown = Shown::new(syntax, self.model.vocabulary(), show);
        let mut stream = lease.session()?.generate(&options)?;
        for chunk in &mut stream {
            shown.push(&chunk?);
        }
        let finish = *stream.finish().ok_or_else(|| Error::engine("a stream ended without a reason"))?;
        if finish.reason == FinishReason::Cancelled {
            return Err(Error::Cancelled);
        }
        let (text, tool_calls) = shown.finish(&tools, &request.stop, finish.reason)?;
        let all = prompt.len() as u32;
        let mut reply = Reply {
            text,
            value: None,
            tool_calls,
            finish: finish.reason,
            prompt_tokens: Some(all),
            cached_tokens: Some(all.saturating_sub(finish.prompt_tokens)),
            generated_tokens: Some(finish.generated_tokens),
            neutralized: Some(neutralized.len() as u32),
            seconds: started.elapsed().as_secs_f64(),
        };
        output(request, &mut reply)?;
        Ok(reply)
    }
}
