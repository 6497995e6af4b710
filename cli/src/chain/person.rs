//! A question of a chain, and the answer of a person at the terminal.

use pinfold::chain::Question;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use serde_json::{Map, Value};

use super::values;
use crate::output::{Exit, Failure, note};

/// Asks. `None` if the person leaves without an answer (Ctrl-C, Ctrl-D).
pub fn ask(question: &Question) -> Result<Option<Value>, Failure> {
    note(&visible(&question.text));
    let mut editor = DefaultEditor::new().map_err(failed)?;
    let schema = &question.schema;
    let Some(fields) = fields(schema) else {
        let line = read(&mut editor, &format!("answer{}> ", kind(schema)))?;
        return Ok(line.map(|line| values::value(&line, schema)));
    };
    let mut answer = Map::new();
    for (name, field) in fields {
        let Some(line) = read(&mut editor, &format!("{}{}> ", visible(name), kind(field)))? else {
            return Ok(None);
        };
        let required =
            schema["required"].as_array().is_some_and(|names| names.iter().any(|other| other == name));
        // Nothing typed is nothing said, where that may be.
        if required || !line.is_empty() {
            answer.insert(name.clone(), values::value(&line, field));
        }
    }
    Ok(Some(Value::Object(answer)))
}

/// The fields of a schema that can be asked for one after another: those of a flat map.
fn fields(schema: &Value) -> Option<&Map<String, Value>> {
    let fields = schema.get("properties")?.as_object()?;
    let flat = |field: &Value| field.get("enum").is_some() || !kind(field).is_empty();
    fields.values().all(flat).then_some(fields)
}

/// What an answer has to be, where that is short.
fn kind(schema: &Value) -> String {
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let choices: Vec<String> = choices
            .iter()
            .map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned))
            .collect();
        return format!(" ({})", visible(&choices.join(", ")));
    }
    let scalar =
        |name: &&Value| ["string", "boolean", "integer", "number"].iter().any(|known| *name == known);
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(scalar),
        other => Some(other).filter(scalar),
    };
    match kind.and_then(Value::as_str) {
        Some("boolean") => " (yes or no)".to_owned(),
        Some(kind) => format!(" ({kind})"),
        None => String::new(),
    }
}

fn read(editor: &mut DefaultEditor, prompt: &str) -> Result<Option<String>, Failure> {
    match editor.readline(prompt) {
        Ok(line) => Ok(Some(line)),
        Err(ReadlineError::Interrupted | ReadlineError::Eof) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: ReadlineError) -> Failure {
    Failure::new(Exit::Failed, "io", format!("the terminal: {error}"))
}

/// Text that a model may have written, fit for a terminal: it cannot steer it.
fn visible(text: &str) -> String {
    let show = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(show).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flat_map_is_asked_field_by_field() {
        let flat = json!({"properties": {"sure": {"type": "boolean"}, "how": {"enum": ["a", 1]}}});
        assert_eq!(fields(&flat).map(Map::len), Some(2));
        assert!(fields(&json!({"properties": {"list": {"type": "array"}}})).is_none());
        assert!(fields(&json!({"type": "string"})).is_none());
        assert_eq!(kind(&flat["properties"]["sure"]), " (yes or no)");
        assert_eq!(kind(&flat["properties"]["how"]), " (a, 1)");
        assert_eq!(kind(&json!({"type": ["integer", "null"]})), " (integer)");
    }

    #[test]
    fn what_a_model_wrote_cannot_steer_the_terminal() {
        assert_eq!(visible("a\x1b[2J\nb\r"), "a\u{fffd}[2J\nb\u{fffd}");
    }
}
