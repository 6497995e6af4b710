//! Which backend answers a step.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::backend::Backend;
use crate::embedder::Embedder;
use crate::error::{Error, Result};

/// What a step asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The step.
    pub step: &'a str,
    /// The name of a backend, if the step has one.
    pub backend: Option<&'a str>,
    /// The model: that of the step, or else that of its prompt.
    pub model: Option<&'a str>,
}

/// Gives the backends of a chain. A backend is asked for when its step runs, so that none is loaded for nothing.
pub trait Backends {
    /// The backend of a step.
    ///
    /// # Errors
    /// If there is none of that name, and those of loading it.
    fn backend(&self, wanted: Wanted<'_>) -> Result<Arc<dyn Backend>>;

    /// The embedder that chooses few-shot examples, by the name that the prompt has for it.
    ///
    /// # Errors
    /// If there is none of that name, and those of loading it.
    fn embedder(&self, model: Option<&str>) -> Result<Embedder>;
}

/// Backends by name, and one for the steps that name none. The model of a step is left to its backend.
#[derive(Clone, Default)]
pub struct NamedBackends {
    default: Option<Arc<dyn Backend>>,
    named: BTreeMap<String, Arc<dyn Backend>>,
    embedder: Option<Embedder>,
}

impl NamedBackends {
    /// No backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the steps that name no backend.
    pub fn with_default(mut self, backend: Arc<dyn Backend>) -> Self {
        self.default = Some(backend);
        self
    }

    /// Answers the steps that name this backend.
    pub fn with(mut self, name: impl Into<String>, backend: Arc<dyn Backend>) -> Self {
        self.named.insert(name.into(), backend);
        self
    }

    /// Chooses few-shot examples, whatever model their prompts name.
    pub fn with_embedder(mut self, embedder: Embedder) -> Self {
        self.embedder = Some(embedder);
        self
    }
}

impl Backends for NamedBackends {
    fn backend(&self, wanted: Wanted<'_>) -> Result<Arc<dyn Backend>> {
        let found = match wanted.backend {
            Some(name) => self.named.get(name),
            None => self.default.as_ref(),
        };
        found.cloned().ok_or_else(|| {
            let known = self.named.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            let reason = match wanted.backend {
                Some(name) => format!("step {:?} wants {name:?}; there are: {known}", wanted.step),
                None => {
                    format!("step {:?} names none, and there is no default; there are: {known}", wanted.step)
                }
            };
            Error::option("backend", reason)
        })
    }

    fn embedder(&self, _: Option<&str>) -> Result<Embedder> {
        let what = "few-shot examples that are chosen by likeness: give an embedder";
        self.embedder.clone().ok_or_else(|| Error::Unsupported { what: what.into() })
    }
}
