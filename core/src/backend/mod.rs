//! What answers a prompt: this machine, or a server.
//!
//! A [`Backend`] takes a [`Request`] and gives a [`Reply`]; [`Local`] runs a checkpoint, [`OpenAi`] asks a server.
//! Tools are declared in the conversation ([`tool`] makes a declaration), their calls come in the reply, and their
//! results go back as turns ([`Reply::turn`], [`tool_result`]).

mod calls;
mod local;
mod openai;
mod pool;
mod request;
mod shown;
mod tools;

pub use local::Local;
pub use openai::{Dialect, EventStream, OpenAi, OpenAiOptions};
pub use request::{Reply, Request, ToolChoice};
pub use tools::{tool, tool_result};

use crate::error::{Error, Result};
use crate::runtime::FinishReason;

/// What answers a prompt.
///
/// `Send + Sync`: requests from several threads are answered side by side.
pub trait Backend: Send + Sync {
    /// Its name, for tables. No secret is in it.
    fn name(&self) -> String;

    /// Answers, and shows the text as it comes: `show` gets pieces of whole characters, and together they are
    /// [`Reply::text`], unless the request fails. It is called on the calling thread, and must not ask this
    /// backend again.
    ///
    /// # Errors
    /// [`Error::BadOutput`] if the answer is not what was declared, or if it calls a tool that is not declared
    /// or with arguments that its schema refuses; [`Error::Cancelled`] if the request's flag is set;
    /// [`Error::InvalidOption`] or [`Error::Unsupported`] for what this backend cannot do; and those of the
    /// backend itself. The backend can be asked again after each of them.
    fn reply(&self, request: &Request, show: &mut dyn FnMut(&str)) -> Result<Reply>;
}

/// The output of a reply that ended, if one was declared: its value.
///
/// A reply that calls tools has none yet.
fn output(request: &Request, reply: &mut Reply) -> Result<()> {
    if !reply.tool_calls.is_empty() {
        return Ok(());
    }
    if request.tool_choice == ToolChoice::Required {
        return Err(bad(reply, "a tool had to be called, and none was"));
    }
    let Some(constraint) = &request.output else { return Ok(()) };
    match constraint.parse(&reply.text) {
        Ok(value) => reply.value = Some(value),
        Err(_) if reply.finish == FinishReason::Length => {
            let reason = "it was cut off when its length was reached; allow more tokens";
            return Err(bad(reply, reason));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn bad(reply: &Reply, reason: impl Into<String>) -> Error {
    Error::BadOutput { reason: reason.into(), text: reply.text.clone() }
}

/// The guide's code is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/backends.md")]
struct Guide;
