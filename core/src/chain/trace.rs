//! The trace of a run: a line of JSON for each step.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};

use crate::digest::Digest;
use crate::prompt::clock::date;
use crate::prompt::{Content, Conversation, Part, Turn};
use crate::runtime::FinishReason;

/// What happened in one step. Serialized it is one line of a trace; what is not there is left out. Text of users and
/// models is in it only where it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// When the step began: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// The step.
    pub step: String,
    /// The place in the list of a `foreach`, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// How it ended.
    pub outcome: StepOutcome,
    /// The name of the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<TracePrompt>,
    /// Tokens, as far as the backend tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TraceTokens>,
    /// Markers in values whose spelling was broken, as far as the backend tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neutralized: Option<u32>,
    /// Seconds that the step took.
    pub seconds: f64,
    /// Why the generation ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<FinishReason>,
    /// The code of the error, if it failed ([`Error::code`](crate::Error::code)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The messages, if text was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Value>,
    /// The output, if text was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It has its output.
    Done,
    /// Its `when` does not hold.
    Skipped,
    /// It asked a person.
    Waiting,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// The prompt of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracePrompt {
    /// The file, as the chain names it.
    pub file: String,
    /// The SHA-256 of the file and its partials.
    pub sha256: String,
    /// The SHA-256 of the messages with their values: as JSON, `[{"role": ..., "content": ...}, ...]`, without spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_sha256: Option<String>,
}

/// Tokens of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TraceTokens {
    /// Of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<u32>,
    /// Of these, how many were not computed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<u32>,
    /// Of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<u32>,
}

impl Trace {
    /// A line of a trace, without the end of the line.
    pub fn line(&self) -> String {
        // Texts and numbers cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The messages of a conversation as JSON, and their digest.
pub(super) fn messages(conversation: &Conversation) -> (Value, Digest) {
    let messages = Value::Array(conversation.turns.iter().map(message).collect());
    let digest = Digest::of_bytes(messages.to_string().as_bytes());
    (messages, digest)
}

fn message(turn: &Turn) -> Value {
    let part = |part: &Part| match part {
        Part::Text { text } => json!({"type": "text", "text": text.as_str()}),
        Part::Image => json!({"type": "image"}),
        Part::Audio => json!({"type": "audio"}),
        Part::Video => json!({"type": "video"}),
        Part::Media { url, .. } => json!({"type": "media", "url": url.as_str()}),
    };
    let content = match &turn.content {
        None => Value::Null,
        Some(Content::Text(text)) => Value::from(text.as_str()),
        Some(Content::Parts(parts)) => parts.iter().map(part).collect(),
    };
    json!({"role": turn.role.name(), "content": content})
}

/// A time as RFC 3339 has it, in UTC with milliseconds. Times before 1970 are its beginning.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let millis = since.subsec_millis();
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_102_444_800, "2100-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(1)), "1970-01-01T00:00:00.001Z");
    }
}
