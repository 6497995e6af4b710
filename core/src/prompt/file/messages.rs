//! From what a template writes to messages, by the rules of Dotprompt.

use super::body::Event;
use crate::prompt::conversation::{Content, MediaKind, Part, Role, Turn};
use crate::prompt::text::Text;

/// A message of a rendered prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptMessage {
    /// One that the prompt writes.
    Own {
        /// Who says it.
        role: Role,
        /// What is said, in order; there is at least one piece.
        pieces: Vec<PromptPiece>,
    },
    /// One of the turns before.
    History(Turn),
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptPiece {
    /// Text that is not only whitespace.
    Text(Text),
    /// What stands at an address.
    Media {
        /// The address.
        url: Text,
        /// The media type, e.g. `image/png`.
        content_type: Option<Text>,
    },
    /// Here starts a section: a place that an app may fill. It is no text.
    Section(Text),
}

/// The messages of what a template wrote. The first role is the user's. The turns before stand where
/// `{{history}}` says, else before the last message if that is the user's, else at the end.
pub(super) fn messages(events: Vec<Event>, history: &[Turn]) -> Vec<PromptMessage> {
    let mut messages = Vec::new();
    let mut role = Role::User;
    let mut pieces = Vec::new();
    let mut placed = false;
    let finish = |role, pieces: &mut Vec<_>, messages: &mut Vec<_>| {
        if !pieces.is_empty() {
            messages.push(PromptMessage::Own { role, pieces: std::mem::take(pieces) });
        }
    };
    for event in events {
        match event {
            Event::Text(text) if text.as_str().trim().is_empty() => {}
            Event::Text(text) => pieces.push(PromptPiece::Text(text)),
            Event::Media { url, content_type } => pieces.push(PromptPiece::Media { url, content_type }),
            Event::Section(name) => pieces.push(PromptPiece::Section(name)),
            Event::Role(next) => {
                finish(role, &mut pieces, &mut messages);
                role = next;
            }
            Event::History => {
                finish(role, &mut pieces, &mut messages);
                messages.extend(history.iter().cloned().map(PromptMessage::History));
                (role, placed) = (Role::Assistant, true);
            }
        }
    }
    finish(role, &mut pieces, &mut messages);
    if !placed {
        let last_is_user = matches!(messages.last(), Some(PromptMessage::Own { role: Role::User, .. }));
        let at = messages.len() - usize::from(last_is_user);
        messages.splice(at..at, history.iter().cloned().map(PromptMessage::History));
    }
    messages
}

impl PromptMessage {
    /// The turn of a conversation: without sections. None if nothing else is in it.
    pub(super) fn into_turn(self) -> Option<Turn> {
        let (role, pieces) = match self {
            Self::Own { role, pieces } => (role, pieces),
            Self::History(turn) => return Some(turn),
        };
        let mut parts: Vec<Part> = Vec::new();
        for piece in pieces {
            match (piece, parts.last_mut()) {
                (PromptPiece::Section(_), _) => {}
                (PromptPiece::Text(more), Some(Part::Text { text })) => text.push_text(&more),
                (PromptPiece::Text(text), _) => parts.push(Part::Text { text }),
                (PromptPiece::Media { url, content_type }, _) => {
                    let kind = MediaKind::of(url.as_str(), content_type.as_ref().map(Text::as_str));
                    parts.push(Part::Media { kind, url, content_type });
                }
            }
        }
        let mut turn = Turn::new(role, Text::new());
        turn.content = Some(match <[Part; 1]>::try_from(parts) {
            Ok([Part::Text { text }]) => Content::Text(text),
            Ok(part) => Content::Parts(part.into()),
            Err(parts) if parts.is_empty() => return None,
            Err(parts) => Content::Parts(parts),
        });
        Some(turn)
    }
}
