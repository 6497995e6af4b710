//! Prompts: how a conversation becomes the text that a checkpoint was trained on.

mod chat_template;
mod clock;

pub use chat_template::{ChatTemplate, Message, Role};
