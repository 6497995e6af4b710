//! Prompts: how a conversation becomes the text that a checkpoint was trained on.

mod chat_template;
mod clock;
mod conversation;
mod data;
mod jinja;
mod text;

pub use chat_template::ChatTemplate;
pub use conversation::{Content, Conversation, Message, Part, Role, ToolCall, Turn};
pub use data::Data;
pub use text::Text;
