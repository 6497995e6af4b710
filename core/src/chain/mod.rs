//! Chains: prompts one after another, with typed outputs that are passed on, branches on them, and questions to
//! people.
//!
//! A chain is a YAML file beside its prompt files:
//!
//! ```yaml
//! input:
//!   request: string, what was asked for
//! steps:
//!   - id: intent
//!     prompt: intent.prompt
//!     inputs: {request: input.request}
//!   - id: confirm
//!     human: confirm.prompt
//!     when: {value: steps.intent.output.intent, is: PlayMusic}
//!     inputs: {intent: steps.intent.output.intent}
//! output: steps.intent.output
//! ```
//!
//! All of it is checked before anything runs ([`Chain::open`]): that prompts get all their inputs and each of a type
//! that fits, that outputs have the fields that are asked for, that steps are reached and jumps back are bounded.
//! `docs/guide/chains.md` describes the format.
//!
//! A [`ChainRun`] goes from step to step. Whatever goes into a prompt is a value and sealed there, the outputs of
//! other steps too. What a run has so far is its state, which can be saved between any two steps, also after an
//! error or a cancel, and restored where the chain is still the same.

mod backends;
mod check;
mod condition;
mod file;
mod question;
mod reference;
mod run;
mod schema;
mod state;
mod trace;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

pub use backends::{Backends, NamedBackends, Wanted};
pub use question::Question;
pub use run::{ChainRun, ChainWatch, Outcome, TraceFn};
pub use state::Changed;
pub use trace::{StepOutcome, Trace, TracePrompt, TraceTokens};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::prompt::yaml::{self, Fault, Schema};
use crate::prompt::{PromptFile, Values};
use check::Schemas;
use file::{File, Step};
use state::State;

/// The inputs of a chain that declares none.
const NO_INPUT: &str = "{type: object, properties: {}, additionalProperties: false}";

/// Bytes of a chain file at most.
const BYTES: usize = 1 << 20;

/// A chain that passed its checks. Immutable, `Send + Sync` and cheap to clone.
#[derive(Clone)]
pub struct Chain(Arc<Plan>);

struct Plan {
    path: PathBuf,
    file: File,
    schemas: Schemas,
    input: Schema,
    /// The prompt of each step.
    prompts: Vec<PromptFile>,
    /// What the chain is made of: the name of each file with its digest.
    digests: BTreeMap<String, Digest>,
}

/// What a step is, for those who look at a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepInfo<'a> {
    /// Its name.
    pub id: &'a str,
    /// Its prompt file, as the chain names it.
    pub prompt: &'a str,
    /// Whether a person answers.
    pub human: bool,
    /// The name of its backend.
    pub backend: Option<&'a str>,
    /// The model: that of the step, or else that of its prompt.
    pub model: Option<&'a str>,
}

impl Chain {
    /// Reads a chain file and the prompt files beside it, and checks all of it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadChain`] with the line, [`Error::BadPrompt`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = crate::files::folder(path);
        let text = std::fs::read(path).map_err(Error::io(path))?;
        Self::parse(path, &text, &mut |name| PromptFile::open(folder.join(name)))
    }

    /// A chain from the bytes of a file; `path` is for messages, and `prompt` gives the prompt files by the names that
    /// the chain has for them.
    ///
    /// # Errors
    /// [`Error::BadChain`] with the line, and those of `prompt`.
    pub fn parse(
        path: impl AsRef<Path>,
        bytes: &[u8],
        prompt: &mut dyn FnMut(&str) -> Result<PromptFile>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let bad = |fault: Fault| bad_chain(path, Some(fault.place.line), fault.reason);
        if bytes.len() > BYTES {
            let reason = format!("the file has {} bytes; a chain has {BYTES} at most", bytes.len());
            return Err(bad_chain(path, None, reason));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
            bad_chain(path, Some(line), "it is not UTF-8")
        })?;
        let node = yaml::parse(text, 0).map_err(bad)?;
        let file = file::read(&node).map_err(bad)?;
        let input = match &file.input {
            Some(node) => Schema::read(node, &BTreeMap::new()),
            None => yaml::parse(NO_INPUT, 0).and_then(|node| Schema::read(&node, &BTreeMap::new())),
        };
        let input = input.map_err(bad)?;
        let mut prompts = Vec::with_capacity(file.steps.len());
        let mut digests = BTreeMap::from([(String::new(), Digest::of_bytes(bytes))]);
        for step in &file.steps {
            let prompt = prompt(&step.prompt).map_err(|error| match error {
                Error::Io { path: missing, source } => {
                    let reason = format!("{}: {source}", missing.display());
                    bad(Fault::new(step.prompt_place, reason))
                }
                other => other,
            })?;
            digests.insert(step.prompt.clone(), prompt.digest());
            prompts.push(prompt);
        }
        let schemas = schemas(input.json.clone(), &file, &prompts);
        check::check(&file, &schemas).map_err(bad)?;
        let path = path.to_owned();
        Ok(Self(Arc::new(Plan { path, file, schemas, input, prompts, digests })))
    }

    /// The chain file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The JSON schema of its inputs.
    pub fn input_schema(&self) -> &Value {
        &self.0.schemas.input
    }

    /// Its steps, in the order of the file.
    pub fn steps(&self) -> impl Iterator<Item = StepInfo<'_>> {
        let steps = self.0.file.steps.iter().zip(&self.0.prompts);
        steps.map(|(step, prompt)| StepInfo {
            id: &step.id,
            prompt: &step.prompt,
            human: step.human,
            backend: step.backend.as_deref(),
            model: step.model.as_deref().or_else(|| prompt.model()),
        })
    }

    /// Begins a run with these inputs. Nothing is computed yet.
    ///
    /// # Errors
    /// [`Error::BadVariable`] for an input that is missing, unknown or of another type.
    pub fn start(&self, values: Values) -> Result<ChainRun> {
        self.0.check_values(&values)?;
        Ok(ChainRun::new(self.0.clone(), State::new(&self.0, values)))
    }

    /// Goes on with a run from its [state](ChainRun::state).
    ///
    /// # Errors
    /// [`Error::BadChain`] if it is not the state of a run of this chain, or if the chain or one of its prompts was
    /// changed since and `changed` does not allow that; [`Error::BadVariable`] if it was changed so that the inputs do
    /// not fit any more.
    pub fn restore(&self, state: &str, changed: Changed) -> Result<ChainRun> {
        let bad = |reason: String| bad_chain(&self.0.path, None, reason);
        let state = State::read(&self.0, state, changed).map_err(bad)?;
        self.0.check_values(&state.values)?;
        Ok(ChainRun::new(self.0.clone(), state))
    }

    /// Goes on with a run from a file that [`ChainRun::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`], and those of [`restore`](Self::restore).
    pub fn load(&self, path: impl AsRef<Path>, changed: Changed) -> Result<ChainRun> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let state = State::read(&self.0, &text, changed).map_err(|reason| bad_chain(path, None, reason))?;
        self.0.check_values(&state.values)?;
        Ok(ChainRun::new(self.0.clone(), state))
    }

    /// The chain file that a saved run says it belongs to.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadChain`] if it is no saved run.
    pub fn of_state(path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        state::chain_of(&text).map_err(|reason| bad_chain(path, None, reason))
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Chain").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Plan {
    fn step(&self, id: &str) -> Option<usize> {
        self.file.steps.iter().position(|step| step.id == id)
    }

    fn check_values(&self, values: &Values) -> Result<()> {
        let Some(wrong) = yaml::first_wrong(&self.input, values, false) else { return Ok(()) };
        let (path, line) = (self.path.clone(), self.input.place_of(&wrong.name).line);
        Err(Error::BadVariable { path, line, name: wrong.name, reason: wrong.reason })
    }
}

fn schemas(input: Value, file: &File, prompts: &[PromptFile]) -> Schemas {
    let output = |(step, prompt): (&Step, &PromptFile)| {
        let one = prompt.output_type();
        if step.foreach.is_some() { schema::list(&one) } else { one }
    };
    Schemas {
        input,
        inputs: prompts.iter().map(inputs).collect(),
        outputs: file.steps.iter().zip(prompts).map(output).collect(),
    }
}

/// The schema of what a prompt takes: variables with a default need not be given. One that declares none takes those
/// that it uses.
fn inputs(prompt: &PromptFile) -> Value {
    let mut schema = prompt.input_schema().cloned().unwrap_or_else(|| {
        let names = prompt.variables();
        let properties: Values = names.iter().map(|name| (name.clone(), json!({}))).collect();
        json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
    });
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !name.as_str().is_some_and(|name| prompt.defaults().contains_key(name)));
    }
    schema
}

fn bad_chain(path: &Path, line: Option<usize>, reason: impl Into<String>) -> Error {
    let reason = reason.into();
    let reason = line.map_or(reason.clone(), |line| format!("line {line}: {reason}"));
    Error::BadChain { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests;
