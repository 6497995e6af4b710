//! The backends of a chain on the command line: checkpoints and servers, each opened when the first step needs it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::Args;
use pinfold::backend::{Local, OpenAi, OpenAiOptions};
use pinfold::chain::{Backends, Wanted};
use pinfold::{Backend, Cancel, Embedder, EmbedderOptions, Error, ModelOptions, Offload, Result};

use crate::options::{Located, locate};
use crate::output::{Failure, quoted};
use crate::pins::PinArgs;

use super::values;

/// What answers.
#[derive(Args)]
pub struct BackendArgs {
    /// The checkpoint for steps that name no model: a name as for `pinfold run`, or the path of a GGUF file
    #[arg(short, long, value_name = "MODEL")]
    model: Option<String>,

    /// What a backend of the chain is: NAME=MODEL for a checkpoint, NAME=URL for a server with OpenAI's chat
    /// completions; may be given again
    #[arg(long, value_name = "NAME=WHAT", value_parser = values::pair)]
    backend: Vec<(String, String)>,

    /// Tokens of the context; 0 for what the checkpoint was trained on, at most 4096
    #[arg(short, long, value_name = "TOKENS", default_value_t = 0)]
    ctx: u32,

    /// Threads that compute; 0 chooses by the machine and the checkpoint
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Engine")]
    threads: u32,

    /// Layers that a GPU computes; 0 for none. Without it, as many as fit
    #[arg(long, value_name = "N", help_heading = "Engine")]
    gpu_layers: Option<u32>,

    #[command(flatten)]
    pins: PinArgs,
}

/// The backends that were opened.
pub struct Opened<'a> {
    args: &'a BackendArgs,
    cancel: Cancel,
    backends: RefCell<BTreeMap<String, Arc<dyn Backend>>>,
    embedders: RefCell<BTreeMap<String, Embedder>>,
    /// What a load said that core has no error for.
    failure: RefCell<Option<Failure>>,
}

impl<'a> Opened<'a> {
    pub fn new(args: &'a BackendArgs, cancel: Cancel) -> Self {
        let (backends, embedders, failure) = Default::default();
        Self { args, cancel, backends, embedders, failure }
    }

    /// The failure of a run, as precise as it is known.
    pub fn failure(&self, error: Error) -> Failure {
        self.failure.take().unwrap_or_else(|| error.into())
    }

    /// Finds a checkpoint; what is wrong with it is kept, and the error only ends the run.
    fn locate(&self, name: &str) -> Result<Located> {
        locate(OsStr::new(name), &self.args.pins).map_err(|failure| {
            let what = failure.message.clone();
            self.failure.replace(Some(failure));
            Error::Unsupported { what }
        })
    }

    fn load(&self, name: &str) -> Result<Arc<dyn Backend>> {
        let located = self.locate(name)?;
        let options = ModelOptions {
            context_tokens: self.args.ctx,
            threads: self.args.threads,
            offload: self.offload(),
            ..ModelOptions::default()
        };
        let model = located.load(&options, &self.cancel)?;
        Ok(Arc::new(Local::new(name, model)))
    }

    fn offload(&self) -> Offload {
        Offload { layers: self.args.gpu_layers, ..Offload::default() }
    }

    /// What the command line says that a backend is; a model for a server.
    fn meaning(&self, wanted: Wanted<'_>) -> Result<(String, Option<String>)> {
        let model = wanted.model.or(self.args.model.as_deref());
        let missing = || {
            let reason = format!("step {} names no model: give --model", quoted(wanted.step));
            Error::InvalidOption { option: "model", reason }
        };
        let Some(name) = wanted.backend else {
            return Ok((model.ok_or_else(missing)?.to_owned(), None));
        };
        let given = self.args.backend.iter().find(|(known, _)| known == name).map(|(_, what)| what.as_str());
        match given.or_else(|| is_address(name).then_some(name)) {
            Some(address) if is_address(address) => {
                Ok((address.to_owned(), Some(model.ok_or_else(missing)?.to_owned())))
            }
            Some(checkpoint) => Ok((checkpoint.to_owned(), None)),
            None => {
                let (step, name) = (quoted(wanted.step), quoted(name));
                let reason = format!(
                    "step {step} wants {name}: say what that is, by --backend NAME=MODEL or NAME=URL"
                );
                Err(Error::InvalidOption { option: "backend", reason })
            }
        }
    }
}

fn is_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

impl Backends for Opened<'_> {
    fn backend(&self, wanted: Wanted<'_>) -> Result<Arc<dyn Backend>> {
        let (what, model) = self.meaning(wanted)?;
        let key = format!("{what} {}", model.as_deref().unwrap_or_default());
        if let Some(opened) = self.backends.borrow().get(&key) {
            return Ok(opened.clone());
        }
        let opened: Arc<dyn Backend> = match model {
            Some(model) => Arc::new(OpenAi::new(&what, model, OpenAiOptions::default())?),
            None => self.load(&what)?,
        };
        self.backends.borrow_mut().insert(key, opened.clone());
        Ok(opened)
    }

    fn embedder(&self, model: Option<&str>) -> Result<Embedder> {
        let name = model.ok_or_else(|| Error::Unsupported {
            what: "few-shot examples that are chosen by likeness, of a prompt that names no `model` for that"
                .into(),
        })?;
        if let Some(loaded) = self.embedders.borrow().get(name) {
            return Ok(loaded.clone());
        }
        let options = EmbedderOptions {
            threads: self.args.threads,
            offload: self.offload(),
            ..EmbedderOptions::default()
        };
        let loaded = self.locate(name)?.embedder(&options, &self.cancel)?;
        self.embedders.borrow_mut().insert(name.to_owned(), loaded.clone());
        Ok(loaded)
    }
}
