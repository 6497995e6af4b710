//! An answer put together from what a server sends: events of a stream, or one object.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::runtime::FinishReason;

/// Calls of tools that an answer may have.
const CALLS: usize = 128;

/// What arrived of an answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) calls: BTreeMap<u32, Call>,
    pub(super) finish: Option<FinishReason>,
    pub(super) prompt_tokens: Option<u32>,
    pub(super) cached_tokens: Option<u32>,
    pub(super) generated_tokens: Option<u32>,
}

/// A call of a tool, as far as it arrived.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// JSON, or a value already where a server does not hold to the rule.
    pub(super) arguments: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    /// Of a stream.
    delta: Option<Message>,
    /// Of a whole answer.
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Delta>>,
}

#[derive(Deserialize)]
struct Delta {
    index: Option<u32>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

/// Why an event cannot be taken.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is not what a server of chat completions sends.
    Form(String),
    /// The server says that it failed.
    Error(Value),
}

impl Answer {
    /// Takes an event or a whole answer; returns the text that came with it.
    pub(super) fn take(&mut self, json: &str) -> Result<String, Wrong> {
        let form = |reason: &str| Wrong::Form(reason.to_owned());
        // Its words may be the user's, so they are not repeated.
        let event: Event = serde_json::from_str(json)
            .map_err(|_| form("it sends JSON that is no answer of chat completions"))?;
        if let Some(error) = event.error.filter(|error| !error.is_null()) {
            return Err(Wrong::Error(error));
        }
        if let Some(usage) = event.usage {
            self.prompt_tokens = usage.prompt_tokens.or(self.prompt_tokens);
            self.generated_tokens = usage.completion_tokens.or(self.generated_tokens);
            let cached = usage.prompt_tokens_details.and_then(|details| details.cached_tokens);
            self.cached_tokens = cached.or(self.cached_tokens);
        }
        let mut text = String::new();
        for choice in event.choices.into_iter().filter(|choice| choice.index == 0) {
            if let Some(message) = choice.delta.or(choice.message) {
                // A refusal is what the model said, in place of what it was asked for.
                text.extend(message.content.into_iter().chain(message.refusal));
                for (position, delta) in message.tool_calls.unwrap_or_default().into_iter().enumerate() {
                    let index = delta.index.unwrap_or(position as u32);
                    if !self.calls.contains_key(&index) && self.calls.len() == CALLS {
                        return Err(Wrong::Form(format!("it sends more than {CALLS} calls of tools")));
                    }
                    self.calls.entry(index).or_default().add(delta);
                }
            }
            match choice.finish_reason.as_deref() {
                None => {}
                Some("length") => self.finish = Some(FinishReason::Length),
                Some("content_filter") => return Err(form("its filter of contents ended the answer")),
                Some("error") => return Err(form("it failed while it answered")),
                // Whether the model ended or a stop text appeared is not told apart.
                Some(_) => self.finish = Some(FinishReason::EndOfGeneration),
            }
        }
        self.text += &text;
        Ok(text)
    }
}

impl Call {
    fn add(&mut self, delta: Delta) {
        if let Some(id) = delta.id.filter(|id| !id.is_empty()) {
            self.id = Some(id);
        }
        let Some(function) = delta.function else { return };
        if let Some(name) = function.name {
            // Some servers repeat the name in each piece.
            if self.name != name {
                self.name += &name;
            }
        }
        match function.arguments {
            None | Some(Value::Null) => {}
            Some(Value::String(piece)) => self.arguments += &piece,
            Some(value) => self.arguments = value.to_string(),
        }
    }
}

/// What a server said of its failure, for people: the words of its JSON that are meant to be read.
pub(super) fn words(error: &Value) -> Option<String> {
    // FastAPI lists what is wrong, with the input, which may be the user's and is left out.
    if let Some(Value::Array(details)) = error.get("detail") {
        let detail = |detail: &Value| {
            let place = detail.get("loc")?.as_array()?.iter().map(|part| match part {
                Value::String(name) => name.clone(),
                other => other.to_string(),
            });
            Some(format!("{}: {}", place.collect::<Vec<_>>().join("."), detail.get("msg")?.as_str()?))
        };
        return Some(details.iter().filter_map(detail).take(3).collect::<Vec<_>>().join("; "));
    }
    let inner = error.get("error").unwrap_or(error);
    let keys = ["message", "detail", "msg"];
    let text = inner.as_str().or_else(|| keys.iter().find_map(|key| inner.get(*key)?.as_str()));
    text.filter(|text| !text.trim().is_empty()).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(events: &[&str]) -> Result<Answer, Wrong> {
        let mut answer = Answer::default();
        for event in events {
            answer.take(event)?;
        }
        Ok(answer)
    }

    #[test]
    fn pieces_are_joined() {
        let answer = take(&[
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"no"}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}},{"index":1,"id":"j","function":{"name":"g"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":5}}}"#,
        ])
        .unwrap();
        assert_eq!(answer.text, "a");
        let call = |id: &str, name: &str, arguments: &str| Call {
            id: Some(id.into()),
            name: name.into(),
            arguments: arguments.into(),
        };
        assert_eq!(
            answer.calls.into_values().collect::<Vec<_>>(),
            [call("i", "f", "{\"x\":1}"), call("j", "g", "")]
        );
        assert_eq!(answer.finish, Some(FinishReason::EndOfGeneration));
        assert_eq!(
            (answer.prompt_tokens, answer.cached_tokens, answer.generated_tokens),
            (Some(7), Some(5), Some(2))
        );
    }

    #[test]
    fn a_whole_answer_is_taken_too() {
        let answer = take(&[
            r#"{"choices":[{"message":{"content":"b","tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":{"x":1}}}]},"finish_reason":"length"}]}"#,
        ])
        .unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), ("b", Some(FinishReason::Length)));
        assert_eq!(answer.calls[&0].arguments, "{\"x\":1}");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for event in ["", "x", "[]", r#"{"choices":1}"#, r#"{"choices":[{"delta":{"content":1}}]}"#] {
            assert!(matches!(take(&[event]), Err(Wrong::Form(_))), "{event}");
        }
        let error = take(&[r#"{"error":{"message":"full"}}"#]);
        assert!(matches!(error, Err(Wrong::Error(error)) if words(&error).as_deref() == Some("full")));
        assert!(take(&[r#"{"error":null,"choices":[]}"#]).is_ok());
        let filter = take(&[r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#]);
        assert!(matches!(filter, Err(Wrong::Form(_))));
    }

    #[test]
    fn the_words_of_servers_are_found() {
        for (error, said) in [
            (json!({"error": {"message": "a", "type": "b"}}), Some("a")),
            (json!({"error": "a"}), Some("a")),
            (json!({"detail": "a"}), Some("a")),
            (json!({"message": "a"}), Some("a")),
            (
                json!({"detail": [{"loc": ["body", "messages", 0], "msg": "bad", "input": "secret"}]}),
                Some("body.messages.0: bad"),
            ),
            (json!({}), None),
            (json!(7), None),
        ] {
            assert_eq!(words(&error).as_deref(), said, "{error}");
        }
    }
}
