//! A request as JSON: the words of a conversation, and what a server is told of sampling, output and tools.

use serde_json::{Map, Value, json};

use super::options::{Dialect, OpenAiOptions};
use crate::backend::request::{Request, ToolChoice};
use crate::backend::tools::{Tools, is_name};
use crate::constraint::Constraint;
use crate::error::{Error, Result};
use crate::prompt::{Content, Data, MediaKind, Part, Text, Turn};
use crate::sampler::Sampling;

/// The body of a request.
///
/// Values stand in the content of messages, and in the arguments and results of tools there; all other strings are
/// an author's, or names that hold nothing but letters, digits, `_` and `-`.
pub(super) fn body(request: &Request, model: &str, options: &OpenAiOptions) -> Result<Value> {
    let conversation = &request.conversation;
    let dialect = options.dialect;
    if !conversation.add_generation_prompt {
        return Err(unsupported("a conversation that is not to be answered"));
    }
    if !conversation.documents.is_empty() {
        return Err(unsupported("documents: put them into a message"));
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    let messages = conversation.turns.iter().enumerate().map(|(index, turn)| message(index, turn));
    body.insert("messages".to_owned(), Value::Array(messages.collect::<Result<_>>()?));
    body.insert("stream".to_owned(), true.into());
    if dialect != Dialect::LlamaCppPython {
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    if !conversation.variables.is_empty() {
        body.insert("chat_template_kwargs".to_owned(), variables(&conversation.variables, dialect)?);
    }
    sampling(&request.sampling, dialect, &mut body)?;
    if let Some(most) = request.max_tokens {
        body.insert("max_tokens".to_owned(), most.into());
    }
    if !request.stop.is_empty() {
        if dialect == Dialect::OpenAi && request.stop.len() > 4 {
            return Err(Error::option("stop", "OpenAI's servers take at most 4 stop texts"));
        }
        body.insert("stop".to_owned(), request.stop.clone().into());
    }
    tools(request, &mut body)?;
    if let Some(output) = &request.output {
        constrain(output, options, &mut body);
    }
    Ok(Value::Object(body))
}

fn message(index: usize, turn: &Turn) -> Result<Value> {
    let mut message = Map::new();
    message.insert("role".to_owned(), turn.role.name().into());
    let content = match &turn.content {
        None => Value::Null,
        Some(Content::Text(text)) => text.as_str().into(),
        Some(Content::Parts(parts)) => parts.iter().map(part).collect::<Result<_>>()?,
    };
    message.insert("content".to_owned(), content);
    let named = |what: &str, text: &Text| match is_name(text.as_str()) {
        true => Ok(Value::from(text.as_str())),
        false => {
            let reason = format!("message {}: a {what} has 1 to 64 letters, digits, `_` or `-`", index + 1);
            Err(Error::option("conversation", reason))
        }
    };
    if let Some(name) = &turn.name {
        message.insert("name".to_owned(), named("name", name)?);
    }
    if let Some(id) = &turn.tool_call_id {
        message.insert("tool_call_id".to_owned(), named("call's id", id)?);
    }
    let mut calls = Vec::with_capacity(turn.tool_calls.len());
    for (number, call) in turn.tool_calls.iter().enumerate() {
        let arguments = match &call.arguments {
            Data::Text(text) => text.as_str().to_owned(),
            data => data.to_json().to_string(),
        };
        let name = named("tool's name", &call.name)?;
        let id = match &call.id {
            Some(id) => named("call's id", id)?,
            None => format!("call_{index}_{number}").into(),
        };
        calls.push(
            json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }),
        );
    }
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    Ok(Value::Object(message))
}

fn part(part: &Part) -> Result<Value> {
    match part {
        Part::Text { text } => Ok(json!({ "type": "text", "text": text.as_str() })),
        Part::Media { kind: MediaKind::Image, url, .. } => {
            Ok(json!({ "type": "image_url", "image_url": { "url": url.as_str() } }))
        }
        Part::Image => Err(unsupported("an image without an address")),
        Part::Audio | Part::Video | Part::Media { .. } => Err(unsupported("audio and video")),
    }
}

fn variables(variables: &[(String, Data)], dialect: Dialect) -> Result<Value> {
    if dialect != Dialect::LlamaServer {
        return Err(unsupported("variables of the chat template, except on a llama-server"));
    }
    if variables.iter().any(|(_, value)| value.has_sealed()) {
        return Err(unsupported("a variable of the chat template that holds a value"));
    }
    Ok(Value::Object(variables.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()))
}

/// What differs from the defaults is sent; what the server does not take is an error.
fn sampling(sampling: &Sampling, dialect: Dialect, body: &mut Map<String, Value>) -> Result<()> {
    sampling.validate(usize::MAX)?;
    let default = Sampling::default();
    let more = dialect != Dialect::OpenAi;
    let llama = dialect == Dialect::LlamaServer;
    // Each sends what it does even where it is off: these servers have defaults of their own.
    let own: [(&'static str, &str, Value, bool, bool); 6] = [
        ("top_k", "top_k", sampling.top_k.into(), sampling.top_k == default.top_k, more),
        ("min_p", "min_p", number(sampling.min_p), sampling.min_p == default.min_p, more),
        (
            "typical_p",
            "typical_p",
            number(sampling.typical_p),
            sampling.typical_p == default.typical_p,
            llama,
        ),
        (
            "repetition_penalty",
            "repeat_penalty",
            number(sampling.repetition_penalty),
            sampling.repetition_penalty == default.repetition_penalty,
            more,
        ),
        (
            "penalty_window",
            "repeat_last_n",
            sampling.penalty_window.into(),
            sampling.penalty_window == default.penalty_window,
            llama,
        ),
        ("logit_bias", "", Value::Null, sampling.logit_bias.is_empty(), false),
    ];
    for (option, key, value, is_default, takes) in own {
        if takes {
            body.insert(key.to_owned(), value);
        } else if !is_default {
            let reason = match option {
                "logit_bias" => "names tokens of a checkpoint here; the server's may be others".to_owned(),
                _ => format!("this server does not take it (dialect {dialect:?})"),
            };
            return Err(Error::option(option, reason));
        }
    }
    body.insert("temperature".to_owned(), number(sampling.temperature));
    body.insert("top_p".to_owned(), number(sampling.top_p));
    // Servers of llama.cpp keep it in 32 bits, others in 64 with a sign.
    let most = if more { u64::from(u32::MAX) - 1 } else { i64::MAX as u64 };
    if sampling.seed > most {
        return Err(Error::option("seed", format!("this server takes seeds up to {most}")));
    }
    // Greedy, nothing is drawn, and some servers do not know a seed.
    if sampling.temperature > 0.0 {
        body.insert("seed".to_owned(), sampling.seed.into());
    }
    for (key, value) in
        [("frequency_penalty", sampling.frequency_penalty), ("presence_penalty", sampling.presence_penalty)]
    {
        if value != 0.0 || more {
            body.insert(key.to_owned(), number(value));
        }
    }
    Ok(())
}

/// 0.7 and not 0.699999988079071.
fn number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

fn tools(request: &Request, body: &mut Map<String, Value>) -> Result<()> {
    let declared = &request.conversation.tools;
    Tools::new(declared)?;
    if declared.is_empty() {
        if request.tool_choice == ToolChoice::Required {
            return Err(Error::option("tool_choice", "a tool has to be called, but none is declared"));
        }
        return Ok(());
    }
    if declared.iter().any(Data::has_sealed) {
        let reason = "a declaration for a server must be the author's: make it by `backend::tool`";
        return Err(Error::option("tools", reason));
    }
    if declared.iter().filter_map(declared_name).any(|name| !is_name(name)) {
        let reason = "a server takes names of 1 to 64 letters, digits, `_` or `-`";
        return Err(Error::option("tools", reason));
    }
    let wrapped = declared.iter().map(Data::to_json).map(|tool| match tool.get("function") {
        Some(_) => tool,
        None => json!({ "type": "function", "function": tool }),
    });
    body.insert("tools".to_owned(), wrapped.collect());
    let choice = match request.tool_choice {
        ToolChoice::Auto => "auto",
        ToolChoice::Required => "required",
    };
    body.insert("tool_choice".to_owned(), choice.into());
    Ok(())
}

/// Tells the server what the output must be, where it has a way; it is checked afterwards in any case.
fn constrain(output: &Constraint, options: &OpenAiOptions, body: &mut Map<String, Value>) {
    let (key, value) = match (output, options.dialect) {
        (Constraint::JsonSchema(schema), Dialect::LlamaCppPython) => {
            ("response_format", json!({ "type": "json_object", "schema": without_quotes(schema) }))
        }
        (Constraint::JsonSchema(schema), _) => {
            let named = json!({ "name": "output", "schema": without_quotes(schema), "strict": options.strict_schema });
            ("response_format", json!({ "type": "json_schema", "json_schema": named }))
        }
        (Constraint::Gbnf(grammar), Dialect::LlamaServer) => ("grammar", grammar.as_str().into()),
        _ => return,
    };
    body.insert(key.to_owned(), value);
}

/// A schema without our own `x-quote`, whose text is a value.
fn without_quotes(schema: &Value) -> Value {
    const QUOTE: &str = "x-quote";
    const DATA: [&str; 4] = ["const", "default", "enum", "examples"];
    const NAMED: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];
    match schema {
        Value::Array(items) => items.iter().map(without_quotes).collect(),
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| *key != QUOTE).map(|(key, value)| {
                let value = match value {
                    _ if DATA.contains(&key.as_str()) => value.clone(),
                    // A property may well be named as a keyword is.
                    Value::Object(named) if NAMED.contains(&key.as_str()) => {
                        named.iter().map(|(name, schema)| (name.clone(), without_quotes(schema))).collect()
                    }
                    value => without_quotes(value),
                };
                (key.clone(), value)
            });
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

/// The name of a declared tool.
fn declared_name(tool: &Data) -> Option<&str> {
    let Data::Map(entries) = tool else { return None };
    let value = |wanted: &str| entries.iter().find(|(key, _)| key.as_str() == wanted).map(|(_, value)| value);
    match (value("function"), value("name")) {
        (Some(function), _) => declared_name(function),
        (None, Some(Data::Text(name))) => Some(name.as_str()),
        _ => None,
    }
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported { what: format!("on a server: {what}") }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
