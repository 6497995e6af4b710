//! How a chat template writes the calls of tools, and the calls in what a model wrote.
//!
//! Each family of models writes calls in its own way, and its chat template shows which: a call of a known name
//! with known arguments is rendered, and what stands around them is the syntax. So templates work that nobody
//! has seen. What is known of shapes: JSON objects with name and arguments (Hermes, Qwen, Llama 3, Command R, the
//! older Mistral), a name before a JSON object (DeepSeek, Kimi, Functionary, the newer Mistral), tags around each
//! argument (GLM, Qwen 3 Coder, Nemotron), calls of Python (MiniCPM 3, Llama 4), and Gemma 4's own quotes.

mod learn;
mod literal;
mod parse;
mod tags;

use serde_json::Value;

pub(super) use parse::Found;
use tags::Tags;

/// How a chat template writes calls.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallSyntax {
    /// What stands before the first call, as far as it tells a call from text: `<tool_call>`.
    open: String,
    /// What stands between two calls, if the template writes more than one.
    again: String,
    /// What stands after the last call.
    close: String,
    /// What a template that has words before every text writes there: `all`.
    before_text: String,
    shape: Shape,
}

/// What a call itself looks like.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// `{"name": NAME, "arguments": {...}}`, by these keys.
    Json { name: String, arguments: String },
    /// `{NAME: {...}}`.
    Keyed,
    /// `NAME` and, after something, `{...}`. In that there may be the id of the call, after these words.
    Named { between: String, id: Option<String> },
    /// `NAME` and a tag around each argument.
    Tags(Tags),
    /// `NAME(key=value, ...)`.
    Python,
    /// `NAME{key:value, ...}`, strings between these quotes.
    Loose { quote: String },
}

/// A call as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// A map, or JSON of one as a string.
    pub(super) arguments: Value,
}

/// What follows `pattern` at the start of `text`, white space aside: models are not exact about it.
fn strip<'a>(text: &'a str, pattern: &str) -> Option<&'a str> {
    match matched(text, pattern) {
        Match::Whole(rest) => Some(rest),
        Match::Part | Match::None => None,
    }
}

/// How far a text begins with a pattern.
enum Match<'a> {
    /// With all of it; this follows.
    Whole(&'a str),
    /// The text ends within it.
    Part,
    None,
}

fn matched<'a>(text: &'a str, pattern: &str) -> Match<'a> {
    let mut rest = text;
    for wanted in pattern.chars().filter(|wanted| !wanted.is_whitespace()) {
        rest = rest.trim_start();
        match rest.chars().next() {
            Some(character) if character == wanted => rest = &rest[wanted.len_utf8()..],
            Some(_) => return Match::None,
            None => return Match::Part,
        }
    }
    Match::Whole(rest)
}

/// How many bytes at the start of a text could be the name of a tool.
fn name_length(text: &str) -> usize {
    text.find(|character: char| !(character.is_ascii_alphanumeric() || "_-./".contains(character)))
        .unwrap_or(text.len())
}
