//! Answers, and in what two of them differ.

use pinfold::Error;
use pinfold::backend::Reply;
use serde::Serialize;
use serde_json::Value;

use crate::output::Failure;
use crate::run::prompted;

/// What a backend made of a case.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The text; of an output that is not what was declared, what there is of it.
    pub text: Option<String>,
    pub value: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Whether the output is what the prompt declares, if it declares one.
    pub valid: Option<bool>,
    /// Whether it is what the case expects, if that expects something.
    pub expected: Option<bool>,
    pub prompt_tokens: Option<u32>,
    pub generated_tokens: Option<u32>,
    pub seconds: Option<f64>,
}

impl Outcome {
    /// Of a reply with whether an output was declared, or of a failure.
    pub fn new(answer: Result<(bool, Reply), Error>, expect: Option<&Value>) -> Self {
        let mut outcome = match answer {
            Ok((declared, reply)) => Self {
                tool_calls: prompted::calls(&reply),
                error: None,
                valid: declared.then_some(reply.value.is_some() || !reply.tool_calls.is_empty()),
                expected: None,
                prompt_tokens: reply.prompt_tokens,
                generated_tokens: reply.generated_tokens,
                seconds: Some(reply.seconds),
                text: Some(reply.text),
                value: reply.value,
            },
            Err(error) => {
                let (text, valid) = match &error {
                    Error::BadOutput { text, .. } => (Some(text.clone()), Some(false)),
                    _ => (None, None),
                };
                Self {
                    text,
                    value: None,
                    tool_calls: Vec::new(),
                    error: Some(error.into()),
                    valid,
                    expected: None,
                    prompt_tokens: None,
                    generated_tokens: None,
                    seconds: None,
                }
            }
        };
        outcome.expected = expect.map(|expect| outcome.is(expect));
        outcome
    }

    fn is(&self, expect: &Value) -> bool {
        if self.error.is_some() {
            return false;
        }
        match (&self.value, expect) {
            (Some(value), expect) => value == expect,
            (None, Value::String(text)) => self.text.as_deref() == Some(text),
            (None, expect) => {
                let value = self.text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
                value.as_ref() == Some(expect)
            }
        }
    }

    /// In what it differs from another: nothing, if both say the same.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        if let (None, None) = (&self.error, &other.error) {
        } else {
            return vec!["error".to_owned()];
        }
        let mut found = Vec::new();
        match (&self.value, &other.value) {
            (Some(one), Some(two)) => fields(one, two, &mut String::new(), &mut found),
            _ => found.extend(first_difference(
                self.text.as_deref().unwrap_or_default(),
                other.text.as_deref().unwrap_or_default(),
            )),
        }
        if self.tool_calls.len() != other.tool_calls.len() {
            found.push("number of tool calls".to_owned());
        }
        // The ids of calls are made up anew each time.
        for (index, (one, two)) in self.tool_calls.iter().zip(&other.tool_calls).enumerate() {
            for key in ["name", "arguments"] {
                fields(&one[key], &two[key], &mut format!("/tool_calls/{index}/{key}"), &mut found);
            }
        }
        found
    }
}

/// The places (JSON pointers, RFC 6901) at which two values differ; of the whole value it is `/`.
fn fields(one: &Value, two: &Value, place: &mut String, found: &mut Vec<String>) {
    let length = place.len();
    let mut within = |key: &str, one: Option<&Value>, two: Option<&Value>| {
        *place += "/";
        *place += &key.replace('~', "~0").replace('/', "~1");
        match (one, two) {
            (Some(one), Some(two)) => fields(one, two, place, found),
            _ => found.push(place.clone()),
        }
        place.truncate(length);
    };
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            for (key, value) in one {
                within(key, Some(value), two.get(key));
            }
            for (key, value) in two.iter().filter(|(key, _)| !one.contains_key(*key)) {
                within(key, None, Some(value));
            }
        }
        (Value::Array(one), Value::Array(two)) => {
            for index in 0..one.len().max(two.len()) {
                within(&index.to_string(), one.get(index), two.get(index));
            }
        }
        _ if one == two => {}
        _ if place.is_empty() => found.push("/".to_owned()),
        _ => found.push(place.clone()),
    }
}

/// The first character in which two texts differ, from 1.
fn first_difference(one: &str, two: &str) -> Option<String> {
    if one == two {
        return None;
    }
    let same = one.chars().zip(two.chars()).take_while(|(one, two)| one == two).count();
    Some(format!("character {}", same + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_differ_in_fields() {
        let differ = |one: Value, two: Value| {
            let mut found = Vec::new();
            fields(&one, &two, &mut String::new(), &mut found);
            found
        };
        assert_eq!(differ(json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1})), [""; 0]);
        let two = json!({"a": [1, 3, 4], "b/c": {"~": 2}, "e": 1});
        assert_eq!(
            differ(json!({"a": [1, 2], "b/c": {"~": 1}, "d": 1}), two),
            ["/a/1", "/a/2", "/b~1c/~0", "/d", "/e"]
        );
        assert_eq!(differ(json!(1), json!("1")), ["/"]);
    }

    #[test]
    fn texts_differ_at_a_character() {
        assert_eq!(first_difference("äb", "äc").as_deref(), Some("character 2"));
        assert_eq!(first_difference("a", "ab").as_deref(), Some("character 2"));
        assert_eq!(first_difference("a", "a"), None);
    }
}
