//! The front matter of a prompt file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::picoschema::Schema;
use super::source::{Fault, Parsed, Place, suggestion, unknown};
use super::tools::{self, Tool};
use super::yaml::{Entry, Kind, Node, object};
use super::{PromptConfig, Values};
use crate::constraint::Constraint;
use crate::error::Error;
use crate::prompt::seal::Markers;
use crate::sampler::Sampling;

const KEYS: [&str; 9] =
    ["config", "description", "input", "metadata", "model", "name", "output", "tools", "variant"];
const OUTPUT_FORMATS: [&str; 2] = ["json", "text"];
const PINFOLD: [&str; 5] = ["documents", "examples", "markers", "output", "variables"];
const GRAMMARS: [&str; 4] = ["choice", "gbnf", "lark", "regex"];

/// What a front matter says.
#[derive(Debug, Clone, Default)]
pub(super) struct Front {
    pub name: Option<String>,
    pub variant: Option<String>,
    pub description: Option<String>,
    pub model: Option<String>,
    pub config: PromptConfig,
    pub input: Option<Schema>,
    pub defaults: Values,
    pub output: Option<Schema>,
    pub format: Option<String>,
    pub tools: Vec<Tool>,
    pub markers: Markers,
    /// `pinfold.output`, with its place.
    pub grammar: Option<(Constraint, Place)>,
    /// The variable that holds documents, with its place.
    pub documents: Option<(String, Place)>,
    pub variables: Map<String, Value>,
    /// Keys with a dot: by what stands before the last dot, then by what follows it.
    pub extensions: BTreeMap<String, Vec<Entry>>,
    /// Keys that mean nothing here.
    pub ignored: Vec<(String, Place)>,
    pub raw: Map<String, Value>,
}

impl Front {
    pub fn read(node: &Node, schemas: &BTreeMap<String, Value>) -> Parsed<Self> {
        let entries = node.entries("the front matter")?;
        let mut front = Self { raw: object(entries), ..Self::default() };
        for entry in entries {
            front.entry(entry, schemas)?;
        }
        front.check()?;
        Ok(front)
    }

    fn entry(&mut self, entry: &Entry, schemas: &BTreeMap<String, Value>) -> Parsed<()> {
        let node = &entry.node;
        let text = |what: &str| node.require_text(what).map(|text| Some(text.to_owned()));
        match entry.key.as_str() {
            "name" => self.name = text("`name`")?,
            "variant" => self.variant = text("`variant`")?,
            "description" => self.description = text("`description`")?,
            "model" => self.model = text("`model`")?,
            "metadata" => {}
            "config" => self.config = config(node)?,
            "input" => {
                for entry in node.known_entries("`input`", &["default", "schema"])? {
                    match entry.key.as_str() {
                        "schema" => {
                            let schema = Schema::read(&entry.node, schemas)?;
                            self.input = Some(Schema { place: entry.place, ..schema });
                        }
                        _ => self.defaults = object(entry.node.entries("`input.default`")?),
                    }
                }
                self.check_defaults(node)?;
            }
            "output" => {
                for entry in node.known_entries("`output`", &["format", "schema"])? {
                    match entry.key.as_str() {
                        "schema" => self.output = Some(Schema::read(&entry.node, schemas)?),
                        _ => {
                            let format = entry.node.require_text("`output.format`")?;
                            if !OUTPUT_FORMATS.contains(&format) {
                                return Err(entry.node.fault(unknown("format", format, &OUTPUT_FORMATS)));
                            }
                            self.format = Some(format.to_owned());
                        }
                    }
                }
            }
            "tools" => self.tools = tools::read(node, schemas)?,
            key => match key.rsplit_once('.') {
                Some((space, name)) if !space.is_empty() && !name.is_empty() => {
                    if space == "pinfold" {
                        self.extension(name, entry)?;
                    }
                    let entry = Entry { key: name.to_owned(), ..entry.clone() };
                    self.extensions.entry(space.to_owned()).or_default().push(entry);
                }
                _ => match suggestion(key, KEYS) {
                    Some(_) => return Err(Fault::new(entry.place, unknown("key", key, &KEYS))),
                    None => self.ignored.push((key.to_owned(), entry.place)),
                },
            },
        }
        Ok(())
    }

    /// A key `pinfold.name`.
    fn extension(&mut self, name: &str, entry: &Entry) -> Parsed<()> {
        let node = &entry.node;
        match name {
            "markers" => {
                self.markers = match node.text() {
                    Some("reject") => Markers::Reject,
                    Some("neutralize") => Markers::Neutralize,
                    _ => return Err(node.fault("`pinfold.markers` is `reject` or `neutralize`")),
                }
            }
            "output" => {
                let entries = node.known_entries("`pinfold.output`", &GRAMMARS)?;
                let [grammar] = entries else {
                    return Err(node.fault(format!("`pinfold.output` has one of {}", GRAMMARS.join(", "))));
                };
                let text = || grammar.node.require_text(&format!("`{}`", grammar.key)).map(str::to_owned);
                let constraint = match grammar.key.as_str() {
                    "regex" => Constraint::Regex(text()?),
                    "lark" => Constraint::Lark(text()?),
                    "gbnf" => Constraint::Gbnf(text()?),
                    _ => match grammar.node.texts("`choice`")? {
                        choices if !choices.is_empty() => Constraint::Choice(choices),
                        _ => return Err(grammar.node.fault("`choice` has no text to choose")),
                    },
                };
                self.grammar = Some((constraint, entry.place));
            }
            "documents" => {
                self.documents = Some((node.require_text("`pinfold.documents`")?.to_owned(), node.place));
            }
            "variables" => self.variables = object(node.entries("`pinfold.variables`")?),
            "examples" => {}
            _ => {
                let known = PINFOLD.map(|key| format!("pinfold.{key}"));
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(Fault::new(entry.place, unknown("key", &entry.key, &known)));
            }
        }
        Ok(())
    }

    fn check_defaults(&self, input: &Node) -> Parsed<()> {
        let (Some(schema), Some(defaults)) = (&self.input, input.get("default")) else { return Ok(()) };
        match super::values::first_wrong(schema, &self.defaults, true) {
            None => Ok(()),
            Some(wrong) => {
                let top = wrong.name.split(['.', '[']).next().unwrap_or_default();
                let place = defaults.get(top).map_or(defaults.place, |node| node.place);
                Err(Fault::new(
                    place,
                    format!("the default of {:?} does not fit: {}", wrong.name, wrong.reason),
                ))
            }
        }
    }

    /// What only shows with all keys together.
    fn check(&self) -> Parsed<()> {
        let output = self.output.as_ref();
        if let (Some((_, place)), true) = (&self.grammar, output.is_some() || self.format.is_some()) {
            return Err(Fault::new(*place, "`pinfold.output` and `output` exclude each other: keep one"));
        }
        let quotes = output.map(|schema| schema.quotes.as_slice()).unwrap_or_default();
        let documents = self.documents.iter().map(|(name, place)| (name, place));
        for (name, place) in quotes.iter().map(|(name, place)| (name, place)).chain(documents) {
            let Some(input) = self.input.as_ref().filter(|input| !input.is_open()) else { continue };
            if !input.declares(name) {
                let known: Vec<&str> = input.declared.keys().map(String::as_str).collect();
                return Err(Fault::new(*place, unknown("variable", name, &known)));
            }
        }
        match self.input.as_ref().and_then(|input| input.quotes.first()) {
            Some((_, place)) => {
                Err(Fault::new(*place, "a quote is of a variable: it stands in `output.schema` only"))
            }
            None => Ok(()),
        }
    }
}

/// `config`: names as Dotprompt has them (`topP`) or as Pinfold has them (`top_p`).
fn config(node: &Node) -> Parsed<PromptConfig> {
    let mut known: Vec<String> = match serde_json::to_value(Sampling::default()) {
        Ok(Value::Object(fields)) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    known.extend(["max_output_tokens", "max_tokens", "stop_sequences", "stop"].map(str::to_owned));
    let mut config = PromptConfig::default();
    let mut sampling = Map::new();
    let mut seen = Vec::new();
    for entry in node.entries("`config`")? {
        let key = snake_case(&entry.key);
        if !known.contains(&key) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(Fault::new(entry.place, unknown("key of `config`", &entry.key, &known)));
        }
        let meant = match key.as_str() {
            "max_output_tokens" => "max_tokens".to_owned(),
            "stop_sequences" => "stop".to_owned(),
            _ => key,
        };
        if seen.contains(&meant) {
            return Err(Fault::new(entry.place, format!("`{}` is there twice", entry.key)));
        }
        match meant.as_str() {
            "max_tokens" => match entry.node.kind {
                Kind::Int(tokens @ 1..=0xffff_ffff) => config.max_tokens = u32::try_from(tokens).ok(),
                _ => return Err(entry.node.fault("this is a number of tokens, from 1 on")),
            },
            "stop" => {
                config.stop = entry.node.texts(&format!("`{}`", entry.key))?;
                if config.stop.iter().any(String::is_empty) {
                    return Err(entry.node.fault("an empty text cannot end a generation"));
                }
            }
            _ => {
                let single: Map<String, Value> = [(meant.clone(), entry.node.json())].into_iter().collect();
                let read = Sampling::deserialize(Value::Object(single));
                let checked = read.map_err(|error| error.to_string()).and_then(|sampling| {
                    // The vocabulary is not known here, so that only ranges are checked.
                    sampling.validate(usize::MAX).map_err(|error| match error {
                        Error::InvalidOption { reason, .. } => reason,
                        other => other.to_string(),
                    })
                });
                if let Err(reason) = checked {
                    return Err(entry.node.fault(format!("`{}`: {reason}", entry.key)));
                }
                sampling.insert(meant.clone(), entry.node.json());
            }
        }
        seen.push(meant);
    }
    config.sampling = Sampling::deserialize(Value::Object(sampling))
        .map_err(|error| node.fault(format!("`config`: {error}")))?;
    Ok(config)
}

/// `topP` as `top_p`.
fn snake_case(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 2);
    for character in key.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
