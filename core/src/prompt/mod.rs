//! Prompts: how a prompt file with its values becomes a conversation, and how a conversation becomes the tokens
//! that a checkpoint was trained on.

mod chat_template;
pub(crate) mod clock;
mod conversation;
mod data;
pub(crate) mod file;
mod jinja;
mod seal;
mod text;
pub(crate) mod yaml;

pub use chat_template::ChatTemplate;
pub use conversation::{Content, Conversation, MediaKind, Message, Part, Role, ToolCall, Turn};
pub use data::Data;
pub use file::{
    Extension, PromptConfig, PromptFile, PromptMessage, PromptParts, PromptPiece, Values, Warning,
};
pub use seal::{Markers, SealedPrompt, Sealer};
pub use text::Text;
