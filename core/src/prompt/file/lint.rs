//! What is not wrong in a prompt file, but may not be what its author meant.

use std::fmt;
use std::path::PathBuf;

use super::PromptFile;
use super::picoschema::Schema;
use super::source::Place;
use super::uses::{self, MarkKind};

/// Tags that are looked at: who writes more has other things to look at.
const MAX_MARKS: usize = 2000;

/// Something in a prompt file that its author should look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// The file: the prompt, or a partial.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Which kind of warning it is; it stays the same in later versions.
    pub code: &'static str,
    /// What is meant by it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, code, message } = self;
        write!(formatter, "{}:{line}:{column}: {message} [{code}]", path.display())
    }
}

pub(super) fn lint(prompt: &PromptFile) -> Vec<Warning> {
    let front = &prompt.front;
    let mut warnings = Vec::new();
    let own = prompt.path();
    let mut warn = |path: &std::path::Path, place: Place, code, message: String| {
        let Place { line, column } = place;
        warnings.push(Warning { path: path.to_owned(), line, column, code, message });
    };
    let top = Place { line: 1, column: 1 };

    let uses = uses::of(&prompt.program, &prompt.partials);
    // Before any role the text is the user's; that is no place of instructions.
    let mut system = false;
    for mark in uses.marks.iter().take(MAX_MARKS) {
        let path = &mark.source.path;
        match mark.kind {
            MarkKind::Role(Some(name)) => system = name == "system",
            MarkKind::Role(None) => {
                let message = "the role is not written here: a value may not choose it, so that this fails \
                               unless an author's text gives it";
                warn(path, mark.place(), "role-variable", message.into());
            }
            MarkKind::Value { bare } => {
                if bare {
                    let message = "three braces change nothing: nothing is escaped, and values stay sealed; \
                                   write two";
                    warn(path, mark.place(), "triple-stash", message.into());
                }
                if system {
                    let message = "a value stands in a system message, where models follow what is said: \
                                   prefer a user message";
                    warn(path, mark.place(), "value-in-system", message.into());
                }
            }
            MarkKind::Partial(name) => {
                let message =
                    format!("the partial {name:?} is trusted as this file is: all of it is an author's");
                warn(path, mark.place(), "trusted-partial", message);
            }
            MarkKind::Log => {
                let message = "`log` does nothing: values must not get into logs".into();
                warn(path, mark.place(), "log", message);
            }
            MarkKind::History => {}
        }
    }

    let used = &prompt.used;
    match &front.input {
        None if !used.is_empty() => {
            let message = format!(
                "no `input.schema` declares the variables: {}",
                used.iter().take(40).map(String::as_str).collect::<Vec<_>>().join(", ")
            );
            warn(own, top, "no-input-schema", message);
        }
        None => {}
        Some(schema) => {
            if schema.json.get("type").is_some_and(|kind| kind != "object") {
                let message =
                    "the variables of a prompt are a map: with this schema none can be given".into();
                warn(own, schema.place, "input-not-object", message);
            }
            let declared = schema.declared.iter().filter(|(name, _)| !name.contains('.'));
            for (name, place) in
                declared.filter(|(name, _)| !used.contains(name.as_str()) && !prompt.uses_all)
            {
                warn(own, *place, "unused-variable", format!("the variable {name:?} is used nowhere"));
            }
            for used in uses
                .variables
                .iter()
                .take(MAX_MARKS)
                .filter(|used| !schema.declares(used.name) && !prompt.gives(used.name))
            {
                let message = format!("the variable {:?} is not declared by name", used.name);
                warn(&used.source.path, used.place(), "undeclared-variable", message);
            }
        }
    }

    match (&front.output, front.format.as_deref()) {
        (None, Some("json")) => {
            let message = "`format: json` without a schema: any JSON may come".into();
            warn(own, top, "no-output-schema", message);
        }
        (Some(Schema { place, .. }), Some("text")) => {
            warn(own, *place, "unused-schema", "`format: text` makes nothing of the schema".into());
        }
        _ => {}
    }
    for tool in front.tools.iter().filter(|tool| tool.function.is_none()) {
        let message = format!("the tool {:?} is only named: an app must give its definition", tool.name);
        warn(own, tool.place, "undefined-tool", message);
    }
    for (key, place) in &front.ignored {
        warn(own, *place, "unknown-key", format!("the key {key:?} means nothing here"));
    }
    // The prompt first, then its partials.
    warnings.sort_by(|a, b| {
        let key =
            |warning: &Warning| (warning.path != own, warning.path.clone(), warning.line, warning.column);
        key(a).cmp(&key(b))
    });
    warnings.dedup();
    warnings
}
