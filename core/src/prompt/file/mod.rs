//! Prompt files in the [Dotprompt format](https://google.github.io/dotprompt/): YAML front matter and a
//! Handlebars body.
//!
//! What the file says is an author's; what a caller gives for its variables is sealed, wherever it goes.

mod body;
mod examples;
mod front;
mod lint;
mod messages;
mod open;
mod outcome;
pub(crate) mod picoschema;
mod render;
pub(crate) mod source;
mod tools;
mod uses;
pub(crate) mod values;
pub(crate) mod yaml;

pub use lint::Warning;
pub use messages::{PromptMessage, PromptPiece};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use super::seal::Markers;
use crate::digest::Digest;
use crate::error::Error;
use crate::sampler::Sampling;
use body::Program;
use front::Front;
use source::Place;

/// The variables of a prompt, by name.
pub type Values = Map<String, Value>;

/// A prompt file with its partials: read and checked, and ready to be rendered any number of times.
#[derive(Debug, Clone)]
pub struct PromptFile {
    front: Front,
    program: Program,
    partials: BTreeMap<String, Program>,
    digest: Digest,
    /// The variables that the body, the output or the front matter use.
    used: BTreeSet<String>,
    /// Whether the body uses all variables together: `{{json this}}`.
    uses_all: bool,
    examples: Option<examples::Examples>,
}

/// What the front matter says about generation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PromptConfig {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens at most.
    pub max_tokens: Option<u32>,
    /// Texts that end the generation.
    pub stop: Vec<String>,
}

/// What a prompt refers to by name, where it does not come from files.
#[derive(Debug, Clone, Default)]
pub struct PromptParts {
    /// The text of partials: `{{> name}}`.
    pub partials: BTreeMap<String, String>,
    /// JSON Schemas that a front matter names in place of a type.
    pub schemas: BTreeMap<String, Value>,
}

/// A value of the front matter that Pinfold does not read itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// The value.
    pub value: Value,
    /// The line of its key in the file, from 1.
    pub line: usize,
    /// The column of its key, from 1.
    pub column: usize,
}

impl PromptFile {
    /// The same prompt, with these values for variables that are not given. They go before those of the
    /// front matter.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Values) -> Self {
        self.front.defaults.extend(defaults);
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.program.source.path
    }

    /// The prompt's name: that of the front matter, or of the file without `.prompt`.
    pub fn name(&self) -> String {
        let file = || self.path().file_name().map(|name| name.to_string_lossy().into_owned());
        match &self.front.name {
            Some(name) => name.clone(),
            None => file().map(|name| name.trim_end_matches(".prompt").to_owned()).unwrap_or_default(),
        }
    }

    /// What the prompt is for (`description`).
    pub fn description(&self) -> Option<&str> {
        self.front.description.as_deref()
    }

    /// Which of several prompts of one name it is (`variant`).
    pub fn variant(&self) -> Option<&str> {
        self.front.variant.as_deref()
    }

    /// The name of the model: in the lock, of an embedded checkpoint, or of a server.
    pub fn model(&self) -> Option<&str> {
        self.front.model.as_deref()
    }

    /// What the front matter says about generation.
    pub fn config(&self) -> PromptConfig {
        self.front.config.clone()
    }

    /// What is done about forged markers (`pinfold.markers`).
    pub fn markers(&self) -> Markers {
        self.front.markers
    }

    /// The SHA-256 of the file. With partials: of the lines `sha256:... name`, first that of the file, without
    /// a name, then those of the partials in the order of their names. With a file of examples: of such lines for
    /// all of that and for the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The JSON Schema of the variables together, if one is declared.
    pub fn input_schema(&self) -> Option<&Value> {
        self.front.input.as_ref().map(|schema| &schema.json)
    }

    /// The values of variables that are not given.
    pub fn defaults(&self) -> &Values {
        &self.front.defaults
    }

    /// The JSON Schema of the output, if one is declared; a quote has `"x-quote-of"` with its variable's name.
    pub fn output_schema(&self) -> Option<&Value> {
        self.front.output.as_ref().map(|schema| &schema.json)
    }

    /// The names of the variables, sorted: those that are declared, else those that the prompt uses.
    pub fn variables(&self) -> Vec<String> {
        match &self.front.input {
            Some(schema) => schema.declared.keys().filter(|name| !name.contains('.')).cloned().collect(),
            None => self.used.iter().cloned().collect(),
        }
    }

    /// The names of the tools that the prompt names, defined in place or not.
    pub fn tool_names(&self) -> impl Iterator<Item = &str> {
        self.front.tools.iter().map(|tool| tool.name.as_str())
    }

    /// The same prompt, with definitions for tools that it only names: functions as OpenAI's chat completions
    /// have them (`{"type": "function", "function": {"name": ...}}`). Others are not taken.
    #[must_use]
    pub fn with_tools(mut self, definitions: &[Value]) -> Self {
        for tool in &mut self.front.tools {
            let named = |definition: &&Value| definition["function"]["name"] == tool.name.as_str();
            if tool.function.is_none() {
                tool.function = definitions.iter().find(named).cloned();
            }
        }
        self
    }

    /// A key of the front matter with a dot in it, e.g. `pinfold.examples`.
    pub fn extension(&self, key: &str) -> Option<Extension> {
        let (space, name) = key.rsplit_once('.')?;
        let entry = self.front.extensions.get(space)?.iter().find(|entry| entry.key == name)?;
        let Place { line, column } = entry.place;
        Some(Extension { value: entry.node.json(), line, column })
    }

    /// All keys with a dot: by what stands before the last dot, then by what follows it.
    pub fn extensions(&self) -> Map<String, Value> {
        let spaces = self.front.extensions.iter();
        spaces.map(|(space, entries)| (space.clone(), Value::Object(yaml::object(entries)))).collect()
    }

    /// The front matter as it is written.
    pub fn front_matter(&self) -> &Map<String, Value> {
        &self.front.raw
    }

    /// What an author should look at: see [`Warning`].
    pub fn lint(&self) -> Vec<Warning> {
        lint::lint(self)
    }

    fn bad_variable(&self, name: &str, reason: impl Into<String>) -> Error {
        let line = self.front.input.as_ref().map_or(1, |schema| schema.place_of(name).line);
        Error::BadVariable {
            path: self.path().to_owned(),
            line,
            name: name.to_owned(),
            reason: reason.into(),
        }
    }
}
