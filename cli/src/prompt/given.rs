//! What the user gives for the variables of a prompt.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use pinfold::prompt::Turn;
use pinfold::{PromptFile, Values};
use serde_json::Value;

use crate::input;
use crate::output::{Exit, Failure, quoted};

/// The variables of a prompt.
#[derive(Args, Debug, Default)]
pub struct VariableArgs {
    /// A variable: a text, or JSON where the prompt declares another type; may be given again
    #[arg(short = 'v', long = "variable", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,

    /// A file with a JSON object of variables; - for stdin. Those of -v go before them
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
}

impl VariableArgs {
    /// The variables together.
    pub fn values(&self, prompt: &PromptFile) -> Result<Values, Failure> {
        let mut values = match &self.input {
            Some(path) => match json(path)? {
                Value::Object(values) => values,
                _ => return Err(not_json(path, "not an object with the variables")),
            },
            None => Values::new(),
        };
        let mut seen: Vec<&str> = Vec::new();
        for given in &self.variables {
            let Some((name, text)) = given.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                return Err(Failure::usage("-v: a variable is given as NAME=VALUE"));
            };
            if seen.contains(&name) {
                return Err(Failure::usage(format!("-v: {} is given twice", quoted(name))));
            }
            seen.push(name);
            values.insert(name.to_owned(), value(prompt, name, text)?);
        }
        Ok(values)
    }
}

/// A value as it is given on the command line: a text, if the prompt does not declare another type.
fn value(prompt: &PromptFile, name: &str, text: &str) -> Result<Value, Failure> {
    let schema = prompt.input_schema().and_then(|schema| schema["properties"].get(name));
    let is_text = schema.is_none_or(|schema| match (&schema["type"], &schema["enum"]) {
        (Value::String(kind), _) => kind == "string",
        (Value::Array(kinds), _) => kinds.contains(&Value::from("string")),
        (_, Value::Array(choices)) => choices.contains(&Value::from(text)),
        // Any type: what is JSON by its first character is taken as that.
        _ => !text.starts_with(['{', '[']),
    });
    if is_text {
        return Ok(Value::from(text));
    }
    serde_json::from_str(text).map_err(|error| {
        let message = format!("-v {name}: not JSON at column {}", error.column());
        Failure::usage(message).hint("this variable is not a text: give a number, true, [...] or {...}")
    })
}

/// The turns of a file: a list of messages as OpenAI's chat completions have them.
pub fn history(path: Option<&Path>) -> Result<Vec<Turn>, Failure> {
    let Some(path) = path else { return Ok(Vec::new()) };
    serde_json::from_value(json(path)?).map_err(|_| {
        not_json(path, "not a list of messages")
            .hint("write it as [{\"role\": \"user\", \"content\": \"...\"}, ...]")
    })
}

/// The JSON of a file.
pub fn json(path: &Path) -> Result<Value, Failure> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(input::unreadable("stdin"))?;
    } else {
        bytes = std::fs::read(path).map_err(input::unreadable(&name))?;
    }
    // The error does not quote what is there.
    serde_json::from_slice(&bytes).map_err(|error| {
        not_json(path, &format!("not JSON at line {}, column {}", error.line(), error.column()))
    })
}

fn not_json(path: &Path, reason: &str) -> Failure {
    Failure::new(Exit::Failed, "bad_input", format!("{}: {reason}", path.display()))
}
