//! Prompt files in the [Dotprompt format](https://google.github.io/dotprompt/): YAML front matter and a
//! Handlebars body.
//!
//! What the file says is an author's; what a caller gives for its variables is sealed, wherever it goes.

mod body;
mod examples;
mod front;
mod lint;
mod messages;
mod outcome;
pub(crate) mod picoschema;
pub(crate) mod source;
mod tools;
mod uses;
pub(crate) mod values;
pub(crate) mod yaml;

pub use lint::Warning;
pub use messages::{PromptMessage, PromptPiece};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::conversation::{Conversation, Turn};
use super::data::Data;
use super::seal::Markers;
use super::text::Text;
use crate::checkpoint::Digest;
use crate::constraint::Constraint;
use crate::error::{Error, Result};
use crate::sampler::Sampling;
use body::{Program, Scope};
use front::Front;
use source::{Fault, Place, Source};

/// The variables of a prompt, by name.
pub type Values = Map<String, Value>;

/// Partials that a prompt may have, with those of its partials.
const MAX_PARTIALS: usize = 256;

/// A prompt file with its partials: read and checked, and ready to be rendered any number of times.
#[derive(Debug, Clone)]
pub struct PromptFile {
    front: Front,
    program: Program,
    partials: BTreeMap<String, Program>,
    digest: Digest,
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
    /// Reads a prompt file; partials (`_name.prompt`) are looked for beside it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadPrompt`], and [`Error::BadVariable`] if the body uses a variable that the
    /// input schema does not declare.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = read(path)?;
        Self::build(path, text, &BTreeMap::new(), |name| {
            let (folders, name) = name.rsplit_once('/').unwrap_or(("", name));
            let file = folder.join(folders).join(format!("_{name}.prompt"));
            match read(&file) {
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
                Ok(text) => Ok(Some((file, text))),
            }
        })?
        .with_examples(Some(folder))
    }

    /// Reads a prompt from text, with what it refers to. `path` stands in messages.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn from_text(path: impl Into<PathBuf>, text: &str, parts: &PromptParts) -> Result<Self> {
        let path = path.into();
        Self::build(&path, text.to_owned(), &parts.schemas, |name| {
            let partial = parts.partials.get(name);
            Ok(partial.map(|text| (path.with_file_name(format!("_{name}.prompt")), text.clone())))
        })?
        .with_examples(None)
    }

    fn build(
        path: &Path,
        text: String,
        schemas: &BTreeMap<String, Value>,
        mut partial: impl FnMut(&str) -> Result<Option<(PathBuf, String)>>,
    ) -> Result<Self> {
        let source = Source::new(path, text)?;
        let in_file = |fault: Fault| fault.in_file(path);
        let split = source::split(&source.text).map_err(in_file)?;
        let front = match split.front {
            Some(range) => {
                let lines = source.place(range.start).line - 1;
                let node = yaml::parse(&source.text[range], lines).map_err(in_file)?;
                Front::read(&node, schemas).map_err(in_file)?
            }
            None => Front::default(),
        };
        let program = Program::new(source, split.body).map_err(in_file)?;
        let mut prompt = Self {
            front,
            digest: Digest::of_bytes(program.source.text.as_bytes()),
            program,
            partials: BTreeMap::new(),
            examples: None,
        };
        prompt.load_partials(&mut partial)?;
        prompt.seal_digest();
        prompt.check_body()?;
        Ok(prompt)
    }

    fn load_partials(
        &mut self,
        partial: &mut impl FnMut(&str) -> Result<Option<(PathBuf, String)>>,
    ) -> Result<()> {
        let mut wanted = body::partials(&self.program);
        while let Some((name, at, path)) = wanted.pop() {
            if self.partials.contains_key(&name) {
                continue;
            }
            let fault = |reason: String| Err(Fault::new(at, reason).in_file(path.clone()));
            if self.partials.len() == MAX_PARTIALS {
                return fault(format!("there are more than {MAX_PARTIALS} partials"));
            }
            let Some((file, text)) = partial(&name)? else {
                return fault(format!("there is no partial {name:?}: it would be a file `_{name}.prompt`"));
            };
            let source = Source::new(file, text)?;
            let (file, end) = (source.path.clone(), source.text.len());
            let program = Program::new(source, 0..end).map_err(|fault| fault.in_file(file))?;
            wanted.extend(body::partials(&program));
            self.partials.insert(name, program);
        }
        Ok(())
    }

    /// Puts the partials into the digest.
    fn seal_digest(&mut self) {
        if self.partials.is_empty() {
            return;
        }
        let mut lines = format!("{}\n", self.digest);
        for (name, program) in &self.partials {
            lines += &format!("{} {name}\n", Digest::of_bytes(program.source.text.as_bytes()));
        }
        self.digest = Digest::of_bytes(lines.as_bytes());
    }

    /// What can be said of the body without values.
    fn check_body(&self) -> Result<()> {
        let uses = uses::of(&self.program, &self.partials);
        let wrong = uses.marks.iter().find_map(|mark| match mark.kind {
            uses::MarkKind::Role(Some(name)) if body::role(name).is_none() => Some((mark, name)),
            _ => None,
        });
        if let Some((mark, name)) = wrong {
            let fault = Fault::new(mark.place, body::unknown_role(name));
            return Err(fault.in_file(mark.source.path.clone()));
        }
        let Some(schema) = self.front.input.as_ref().filter(|schema| !schema.is_open()) else {
            return Ok(());
        };
        let undeclared =
            uses.variables.iter().find(|used| !schema.declares(used.name) && !self.gives(used.name));
        match undeclared {
            None => Ok(()),
            Some(used) => {
                let meant = source::suggestion(used.name, schema.declared.keys().map(String::as_str));
                let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
                Err(Error::BadVariable {
                    path: used.source.path.clone(),
                    line: used.place.line,
                    name: used.name.to_owned(),
                    reason: format!("is used here, but not declared in `input.schema`{meant}"),
                })
            }
        }
    }

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

    /// The names of the variables: those that are declared, else those that the prompt uses.
    pub fn variables(&self) -> Vec<String> {
        let names: Vec<String> = match &self.front.input {
            Some(schema) => schema.declared.keys().filter(|name| !name.contains('.')).cloned().collect(),
            None => self.used().into_iter().map(str::to_owned).collect(),
        };
        names
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

    /// The output that is declared, for these values (quotes are of values): in a JSON Schema each quote has
    /// `"x-quote"` with the text of its variable.
    ///
    /// # Errors
    /// [`Error::BadVariable`].
    pub fn output(&self, values: &Values) -> Result<Option<Constraint>> {
        let values = self.check(values)?;
        if let Some((constraint, _)) = &self.front.grammar {
            return Ok(Some(constraint.clone()));
        }
        match (&self.front.output, self.front.format.as_deref()) {
            (_, Some("text")) | (None, None) => Ok(None),
            (None, Some(_)) => Ok(Some(Constraint::JsonSchema(json!({})))),
            (Some(schema), _) => {
                for (name, _) in &schema.quotes {
                    if values.get(name).and_then(Value::as_str).is_none() {
                        return Err(self.bad_variable(name, "must be a text: the output quotes it"));
                    }
                }
                let mut json = schema.json.clone();
                quote(&mut json, &values);
                Ok(Some(Constraint::JsonSchema(json)))
            }
        }
    }

    /// The conversation for these values, with the turns before.
    ///
    /// # Errors
    /// [`Error::BadVariable`] for a variable that is missing, unknown or of another type; [`Error::BadPrompt`]
    /// if the body cannot be rendered: a value would choose a role, or the limits of steps, depth or size are
    /// reached.
    pub fn render(&self, values: &Values, history: &[Turn]) -> Result<Conversation> {
        self.render_with(values, history, &Values::new())
    }

    /// The same, with a context: each of its keys is an `@` variable of the body, e.g. `@state`, `@auth`.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub fn render_with(&self, values: &Values, history: &[Turn], context: &Values) -> Result<Conversation> {
        let values = self.check(values)?;
        let messages = self.rendered(&values, history, context)?;
        let mut conversation = Conversation::new(messages.into_iter().filter_map(PromptMessage::into_turn));
        for tool in &self.front.tools {
            let Some(function) = &tool.function else {
                let reason = format!("the tool {:?} is not defined: define it here, or give it", tool.name);
                return Err(Fault::new(tool.place, reason).in_file(self.path()));
            };
            conversation.tools.push(author(function));
        }
        if let Some((name, _)) = &self.front.documents {
            match values.get(name) {
                Some(Value::Array(documents)) if documents.iter().all(Value::is_object) => {
                    conversation.documents = documents.iter().map(sealed).collect();
                }
                None | Some(Value::Null) => {}
                Some(_) => return Err(self.bad_variable(name, "must be a list of maps: documents")),
            }
        }
        let variables = self.front.variables.iter();
        conversation.variables = variables.map(|(name, value)| (name.clone(), author(value))).collect();
        Ok(conversation)
    }

    /// The messages for these values: as [`render_with`](Self::render_with), with sections.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub fn messages(
        &self,
        values: &Values,
        history: &[Turn],
        context: &Values,
    ) -> Result<Vec<PromptMessage>> {
        self.rendered(&self.check(values)?, history, context)
    }

    fn rendered(&self, values: &Values, history: &[Turn], context: &Values) -> Result<Vec<PromptMessage>> {
        let variables = sealed(&Value::Object(self.shown(values)?));
        let context: Vec<(String, Data)> =
            context.iter().map(|(name, value)| (name.clone(), sealed(value))).collect();
        let metadata = Data::map([("prompt", author(&Value::Object(self.front.raw.clone())))]);
        let given = context.iter().map(|(name, data)| (name.clone(), data, true));
        let declared = |name: &str| match &self.front.input {
            Some(schema) => schema.declares(name),
            None => false,
        };
        let scope = Scope {
            variables: &variables,
            context: given.chain([("metadata".to_owned(), &metadata, false)]).collect(),
            declared: &declared,
        };
        let events = body::evaluate(&self.program, &self.partials, &scope)?;
        Ok(messages::messages(events, history))
    }

    /// The values with defaults, if they are what the prompt declares.
    fn check(&self, values: &Values) -> Result<Values> {
        let mut all = self.front.defaults.clone();
        all.extend(values.clone());
        match &self.front.input {
            Some(schema) => match values::first_wrong(schema, &all, false) {
                None => Ok(all),
                Some(wrong) => Err(self.bad_variable(&wrong.name, wrong.reason)),
            },
            None => {
                let uses = uses::of(&self.program, &self.partials);
                let known = self.used();
                match all.keys().find(|name| !known.contains(&name.as_str())) {
                    Some(name) if !uses.whole => {
                        let meant = source::suggestion(name, known);
                        let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
                        Err(self.bad_variable(name, format!("is not used by the prompt{meant}")))
                    }
                    _ => Ok(all),
                }
            }
        }
    }

    /// The variables that the body, the output or the front matter use, in the order of their first use.
    fn used(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let quotes = self.front.output.iter().flat_map(|schema| schema.quotes.iter());
        let documents = self.front.documents.iter().map(|(name, _)| name.as_str());
        let uses = uses::of(&self.program, &self.partials);
        let body = uses.variables.iter().map(|used| used.name);
        for name in body.chain(quotes.map(|(name, _)| name.as_str())).chain(documents) {
            if !names.contains(&name) && !self.gives(name) {
                names.push(name);
            }
        }
        names
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

fn read(path: &Path) -> Result<String> {
    let too_long = std::fs::metadata(path).is_ok_and(|file| file.len() > source::MAX_BYTES as u64);
    let bytes = match too_long {
        // Not read only to be refused.
        true => vec![b' '; source::MAX_BYTES + 1],
        false => std::fs::read(path).map_err(Error::io(path))?,
    };
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::new(Place { line, column: 1 }, "a prompt file is UTF-8, which this line is not").in_file(path)
    })
}

/// Puts the text of its variable to each quote.
fn quote(schema: &mut Value, values: &Values) {
    let Value::Object(schema) = schema else { return };
    if let Some(Value::String(name)) = schema.shift_remove(picoschema::QUOTE_OF) {
        let text = values.get(&name).cloned().unwrap_or_default();
        schema.insert("x-quote".into(), text);
    }
    for inner in picoschema::subschemas(schema) {
        quote(inner, values);
    }
}

/// What a caller gave.
fn sealed(value: &Value) -> Data {
    data(value, true)
}

/// What the author wrote.
fn author(value: &Value) -> Data {
    data(value, false)
}

fn data(value: &Value, seal: bool) -> Data {
    let text = |text: &str| if seal { Text::sealed(text) } else { Text::author(text) };
    match value {
        Value::Null => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(number), _) => Data::Int(number),
            (None, number) => Data::Float(number.unwrap_or(f64::NAN)),
        },
        Value::String(value) => Data::Text(text(value)),
        Value::Array(items) => Data::List(items.iter().map(|item| data(item, seal)).collect()),
        Value::Object(entries) => {
            Data::Map(entries.iter().map(|(key, value)| (text(key), data(value, seal))).collect())
        }
    }
}
