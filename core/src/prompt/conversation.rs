//! Conversations: messages with a role, as an app gives them and as a chat template sees them.

use serde::{Deserialize, Serialize};

use super::data::Data;
use super::text::Text;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The author of the app: instructions that hold for the whole conversation.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called: its result.
    Tool,
}

impl Role {
    /// The name that chat templates know.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One turn of a conversation that has nothing but text. All of the text is a value: sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// The text.
    pub content: String,
}

impl Message {
    /// A message of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// One turn of a conversation, with all that chat templates can show. Read from JSON, it is one message as
/// OpenAI's chat completions have it, and all of its strings are sealed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Who says it.
    pub role: Role,
    /// What is said. A turn that only calls tools may have none.
    #[serde(default)]
    pub content: Option<Content>,
    /// What an assistant thought before it answered, where it is kept apart.
    #[serde(default, rename = "reasoning_content")]
    pub reasoning: Option<Text>,
    /// The calls of tools that an assistant made.
    #[serde(default, deserialize_with = "list_or_null")]
    pub tool_calls: Vec<ToolCall>,
    /// For the result of a tool: the call that it answers.
    #[serde(default)]
    pub tool_call_id: Option<Text>,
    /// The name of who speaks; for the result of a tool, the tool's.
    #[serde(default)]
    pub name: Option<Text>,
}

/// Some writers of JSON say null for an empty list.
fn list_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<ToolCall>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What a turn says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// Text.
    Text(Text),
    /// Text and media in order, for templates that know them.
    Parts(Vec<Part>),
}

/// A piece of what a turn says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: Text,
    },
    /// Where an image stands.
    Image,
    /// Where a recording stands.
    Audio,
    /// Where a video stands.
    Video,
    /// What stands at an address: for a backend that can fetch it. Chat templates see only where it stands.
    #[serde(skip)]
    Media {
        /// What it is.
        kind: MediaKind,
        /// The address; it may be a `data:` URL.
        url: Text,
        /// The media type, e.g. `image/png`.
        content_type: Option<Text>,
    },
}

/// What stands at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// An image.
    Image,
    /// A recording.
    Audio,
    /// A video.
    Video,
}

impl MediaKind {
    /// By the media type, where it is known, else by the address; an image if nothing else is said.
    pub fn of(url: &str, content_type: Option<&str>) -> Self {
        let said = content_type.or_else(|| url.strip_prefix("data:")).unwrap_or_default();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let guess = said.is_empty();
        match ending.as_str() {
            _ if said.starts_with("audio/") => Self::Audio,
            _ if said.starts_with("video/") => Self::Video,
            "mp3" | "wav" | "ogg" | "flac" | "m4a" if guess => Self::Audio,
            "mp4" | "mov" | "webm" | "mkv" if guess => Self::Video,
            _ => Self::Image,
        }
    }
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "WireCall")]
pub struct ToolCall {
    /// The name of the call, which its result refers to.
    pub id: Option<Text>,
    /// The name of the tool.
    pub name: Text,
    /// What it is called with: a map, as most templates want it, or JSON as text, as some do.
    pub arguments: Data,
}

/// A call as JSON has it: by itself, or as the `function` of an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireCall {
    Wrapped { id: Option<Text>, function: WireFunction },
    Plain { id: Option<Text>, name: Text, arguments: Data },
}

#[derive(Deserialize)]
struct WireFunction {
    name: Text,
    arguments: Data,
}

impl From<WireCall> for ToolCall {
    fn from(call: WireCall) -> Self {
        match call {
            WireCall::Wrapped { id, function: WireFunction { name, arguments } } => {
                Self { id, name, arguments }
            }
            WireCall::Plain { id, name, arguments } => Self { id, name, arguments },
        }
    }
}

impl Turn {
    /// A turn that says `text`.
    pub fn new(role: Role, text: Text) -> Self {
        let content = Some(Content::Text(text));
        Self { role, content, reasoning: None, tool_calls: Vec::new(), tool_call_id: None, name: None }
    }

    /// The message that a template sees. The keys and the role are the author's.
    pub(super) fn data(&self) -> Data {
        let mut message = Vec::with_capacity(4);
        if let Some(reasoning) = &self.reasoning {
            // Some templates know it by this name; transformers gives both.
            message.push(("thinking", Data::Text(reasoning.clone())));
        }
        message.push(("role", Data::author(self.role.name())));
        if let Some(content) = &self.content {
            message.push(("content", content.data()));
        }
        if let Some(reasoning) = &self.reasoning {
            message.push(("reasoning_content", Data::Text(reasoning.clone())));
        }
        if !self.tool_calls.is_empty() {
            message.push(("tool_calls", Data::List(self.tool_calls.iter().map(ToolCall::data).collect())));
        }
        for (key, text) in [("tool_call_id", &self.tool_call_id), ("name", &self.name)] {
            message.extend(text.as_ref().map(|text| (key, Data::Text(text.clone()))));
        }
        Data::map(message)
    }
}

impl From<&Message> for Turn {
    fn from(message: &Message) -> Self {
        Self::new(message.role, Text::sealed(message.content.as_str()))
    }
}

impl Content {
    fn data(&self) -> Data {
        match self {
            Self::Text(text) => Data::Text(text.clone()),
            Self::Parts(parts) => Data::List(parts.iter().map(Part::data).collect()),
        }
    }
}

impl Part {
    fn data(&self) -> Data {
        let kind = |name: &str| ("type", Data::author(name));
        match self {
            Self::Text { text } => Data::map([kind("text"), ("text", Data::Text(text.clone()))]),
            Self::Image | Self::Media { kind: MediaKind::Image, .. } => Data::map([kind("image")]),
            Self::Audio | Self::Media { kind: MediaKind::Audio, .. } => Data::map([kind("audio")]),
            Self::Video | Self::Media { kind: MediaKind::Video, .. } => Data::map([kind("video")]),
        }
    }
}

impl ToolCall {
    fn data(&self) -> Data {
        let function = [("name", Data::Text(self.name.clone())), ("arguments", self.arguments.clone())];
        let mut call = Vec::with_capacity(3);
        call.extend(self.id.as_ref().map(|id| ("id", Data::Text(id.clone()))));
        call.extend([("type", Data::author("function")), ("function", Data::map(function))]);
        Data::map(call)
    }
}

/// A conversation, with all else that a chat template can see.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// The tools that the model may call: for each a JSON schema, as OpenAI's chat completions have it.
    pub tools: Vec<Data>,
    /// What the model may look up: for each a map, with a `title` and a `text`.
    pub documents: Vec<Data>,
    /// Whether the prompt ends with the beginning of an assistant's turn.
    pub add_generation_prompt: bool,
    /// Variables that only some templates know, e.g. `enable_thinking`.
    pub variables: Vec<(String, Data)>,
}

impl Conversation {
    /// A conversation without tools, that the model is to continue.
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self {
            turns: turns.into_iter().collect(),
            tools: Vec::new(),
            documents: Vec::new(),
            add_generation_prompt: true,
            variables: Vec::new(),
        }
    }
}

impl<'a> FromIterator<&'a Message> for Conversation {
    fn from_iter<T: IntoIterator<Item = &'a Message>>(messages: T) -> Self {
        Self::new(messages.into_iter().map(Turn::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_read_as_openai_writes_it() {
        let json = r#"{"role": "assistant", "content": null, "tool_calls": [
            {"id": "a1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
            {"name": "g", "arguments": "{}"}]}"#;
        let turn: Turn = serde_json::from_str(json).unwrap();
        assert_eq!(turn.content, None);
        let [first, second] = turn.tool_calls.as_slice() else { panic!("{turn:?}") };
        assert_eq!((&first.id, &first.name), (&Some(Text::sealed("a1")), &Text::sealed("f")));
        assert_eq!(first.arguments, Data::Map(vec![(Text::sealed("x"), Data::Int(1))]));
        assert_eq!(second.arguments, Data::sealed("{}"));
        let none: Turn =
            serde_json::from_str(r#"{"role": "user", "content": "a", "tool_calls": null}"#).unwrap();
        assert_eq!(none, Turn::new(Role::User, Text::sealed("a")));
        let parts: Turn = serde_json::from_str(
            r#"{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "a"}]}"#,
        )
        .unwrap();
        let text = Part::Text { text: Text::sealed("a") };
        assert_eq!(parts.content, Some(Content::Parts(vec![Part::Image, text])));
        for wrong in [
            r#"{"role": "root", "content": "a"}"#,
            r#"{"role": "user", "content": "a", "secret": 1}"#,
            r#"{"role": "user", "content": [{"type": "table"}]}"#,
        ] {
            assert!(serde_json::from_str::<Turn>(wrong).is_err(), "{wrong}");
        }
    }
}
