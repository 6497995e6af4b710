//! The cases of a trial.

use std::path::Path;

use pinfold::Values;
use pinfold::prompt::Turn;
use serde_json::Value;

use crate::input;
use crate::output::{Exit, Failure};

/// One case.
#[derive(Debug)]
pub struct Case {
    /// The line of the file, from 1.
    pub line: usize,
    pub values: Values,
    pub history: Vec<Turn>,
    /// The answer that is wanted.
    pub expect: Option<Value>,
}

/// Reads the cases of a file. Empty lines do not count.
pub fn read(path: &Path) -> Result<Vec<Case>, Failure> {
    let name = path.display().to_string();
    let text = input::text(&name, std::fs::read(path).map_err(input::unreadable(&name))?)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let cases = lines.map(|(index, line)| {
        case(line, index + 1).map_err(|reason| {
            Failure::new(Exit::Failed, "bad_case", format!("{name}:{}: {reason}", index + 1))
                .hint("each line is an object of variables, with \"history\" and \"expect\" if wanted")
        })
    });
    let cases = cases.collect::<Result<Vec<_>, _>>()?;
    match cases.is_empty() {
        true => Err(Failure::new(Exit::Failed, "bad_case", format!("{name}: there is no case"))),
        false => Ok(cases),
    }
}

/// Reads a case; the error never quotes its texts.
fn case(line: &str, number: usize) -> Result<Case, String> {
    let value =
        serde_json::from_str(line).map_err(|error| format!("not JSON at column {}", error.column()))?;
    let Value::Object(mut values) = value else { return Err("not an object".into()) };
    let (history, expect) = (values.shift_remove("history"), values.shift_remove("expect"));
    // By itself, `input` has all the variables; beside others it is one.
    if values.len() == 1
        && let Some(Value::Object(input)) = values.get_mut("input")
    {
        values = std::mem::take(input);
    }
    let history = match history {
        None | Some(Value::Null) => Vec::new(),
        Some(turns) => serde_json::from_value(turns).map_err(|_| "\"history\" is not a list of messages")?,
    };
    Ok(Case { line: number, values, history, expect })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let flat =
            case(r#"{"name": "Ada", "expect": {"a": 1}, "history": [{"role": "user", "content": "x"}]}"#, 3);
        let flat = flat.unwrap();
        assert_eq!((flat.line, flat.values.get("name"), flat.history.len()), (3, Some(&json!("Ada")), 1));
        assert_eq!(flat.expect, Some(json!({"a": 1})));
        let wrapped = case(r#"{"input": {"expect": "x"}, "expect": "y"}"#, 1).unwrap();
        assert_eq!((wrapped.values.get("expect"), wrapped.expect), (Some(&json!("x")), Some(json!("y"))));
        assert!(case(r#"{"input": "a"}"#, 1).unwrap().values.contains_key("input"));
    }

    #[test]
    fn what_is_no_case_is_said_without_its_text() {
        for line in ["secret", "[1]", r#"{"history": "secret"}"#, r#"{"history": [{"role": "secret"}]}"#] {
            assert!(!case(line, 1).unwrap_err().contains("secret"));
        }
    }
}
