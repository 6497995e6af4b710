//! `-v name=value`: values by name, read by the type that a schema has for them.

use std::path::Path;

use pinfold::Values;
use serde_json::{Map, Value};

use crate::input;
use crate::output::{Exit, Failure};

/// `name=value` of the command line.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is NAME=VALUE".to_owned()),
    }
}

/// The values of a JSON file, and those of the command line over them.
pub fn values(file: Option<&Path>, pairs: &[(String, String)], schema: &Value) -> Result<Values, Failure> {
    let mut values = match file {
        None => Map::new(),
        Some(path) => {
            let name = path.display().to_string();
            let text = input::text(&name, std::fs::read(path).map_err(input::unreadable(&name))?)?;
            // What serde says may quote a value.
            serde_json::from_str(&text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                let message = format!("{name}:{line}:{column}: it is no JSON object of values by name");
                Failure::new(Exit::Failed, "bad_input", message)
            })?
        }
    };
    for (name, text) in pairs {
        values.insert(name.clone(), value(text, &schema["properties"][name]));
    }
    Ok(values)
}

/// A text as the value that a schema wants: what may be a text is one, all else is JSON. What is neither stays a text,
/// for the checks to refuse.
pub fn value(text: &str, schema: &Value) -> Value {
    let json = || serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let meant = choices.iter().find(|choice| choice.as_str() == Some(text));
        return meant.cloned().unwrap_or_else(json);
    }
    let is = |name: &str| match &schema["type"] {
        Value::String(only) => only == name,
        Value::Array(all) => all.iter().any(|one| one == name),
        _ => false,
    };
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" if is("boolean") && !is("string") => Value::Bool(true),
        "n" | "no" if is("boolean") && !is("string") => Value::Bool(false),
        "null" if is("null") => Value::Null,
        _ if is("string") => Value::from(text),
        _ => json(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_becomes_what_the_schema_wants() {
        let string = json!({"type": "string"});
        assert_eq!(value("3", &string), json!("3"));
        assert_eq!(value("true", &json!({"type": ["string", "null"]})), json!("true"));
        assert_eq!(value("null", &json!({"type": ["string", "null"]})), json!(null));
        assert_eq!(value("3", &json!({"type": "integer"})), json!(3));
        assert_eq!(value("three", &json!({"type": "integer"})), json!("three"));
        assert_eq!(value("Yes", &json!({"type": "boolean"})), json!(true));
        assert_eq!(value("[1]", &json!({"type": "array"})), json!([1]));
        assert_eq!(value("3", &json!({"enum": ["3", 3]})), json!("3"));
        assert_eq!(value("yes", &Value::Null), json!("yes"));
        assert!(pair("a=b=c").is_ok_and(|pair| pair == ("a".into(), "b=c".into())));
        assert!(pair("=b").is_err() && pair("a").is_err());
    }
}
