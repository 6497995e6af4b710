//! The backends that a command asks: checkpoints here, and servers.

use std::ffi::OsStr;
use std::path::Path;

use clap::Args;
use pinfold::backend::{Backend, Dialect, Local, OpenAi, OpenAiOptions};
use pinfold::{Cancel, EmbedderOptions, Offload, PromptFile};

use crate::options::{EngineArgs, locate};
use crate::output::Failure;

/// What stands before the address of a server, and what the server understands.
const SERVERS: [(&str, Dialect); 3] = [
    ("openai:", Dialect::OpenAi),
    ("llama-server:", Dialect::LlamaServer),
    ("llama-cpp-python:", Dialect::LlamaCppPython),
];

/// How servers are asked.
#[derive(Args)]
#[command(next_help_heading = "Servers")]
pub struct ServerArgs {
    /// The environment variable that has the key of the servers; without it OPENAI_API_KEY
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,

    /// Seconds for one answer
    #[arg(long, value_name = "SECONDS", default_value_t = 900,
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    timeout: u32,

    /// Attempts at one answer, as long as nothing came
    #[arg(long, value_name = "N", default_value_t = OpenAiOptions::default().attempts,
          value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: u32,
}

impl ServerArgs {
    /// Opens a backend: `openai:URL#MODEL`, `llama-server:URL#MODEL`, `llama-cpp-python:URL#MODEL`, or a checkpoint.
    pub fn open(
        &self,
        name: &OsStr,
        engine: &EngineArgs,
        context_tokens: u32,
        cancel: &Cancel,
    ) -> Result<Box<dyn Backend>, Failure> {
        let text = name.to_string_lossy();
        let server =
            SERVERS.iter().find_map(|(prefix, dialect)| Some((text.strip_prefix(prefix)?, *dialect)));
        let Some((address, dialect)) = server else {
            let loaded = engine.load(name, context_tokens, cancel)?;
            return Ok(Box::new(Local::new(loaded.name, loaded.model).with_sessions(1)));
        };
        let Some((url, model)) = address.rsplit_once('#').filter(|(_, model)| !model.is_empty()) else {
            return Err(Failure::usage("a server needs the name of one of its models, after a #")
                .hint("openai:http://localhost:8000/v1#MODEL"));
        };
        let default = OpenAiOptions::default();
        let total_timeout_ms = self.timeout.saturating_mul(1000);
        let options = OpenAiOptions {
            dialect,
            // A variable that was asked for by name has to be there.
            api_key: self.key_env.as_deref().map(key).transpose()?,
            api_key_env: self.key_env.clone().unwrap_or(default.api_key_env.clone()),
            total_timeout_ms,
            first_byte_timeout_ms: total_timeout_ms,
            attempts: self.attempts,
            ..default
        };
        Ok(Box::new(OpenAi::new(url, model, options)?))
    }
}

/// Opens a prompt file, with what chooses its examples by likeness, if that is needed.
pub fn prompt(path: &Path, engine: &EngineArgs, cancel: &Cancel) -> Result<PromptFile, Failure> {
    let prompt = PromptFile::open(path)?;
    let Some(examples) = prompt.few_shot().filter(|examples| examples.needs_embedder()) else {
        return Ok(prompt);
    };
    let Some(model) = examples.selection().model.clone() else {
        return Err(Failure::usage("the prompt chooses examples by likeness, but names no model for that")
            .hint("give `model:` in its `pinfold.examples`"));
    };
    let offload = Offload { layers: engine.gpu_layers, devices: engine.device.clone() };
    let options = EmbedderOptions { threads: engine.threads, offload, ..EmbedderOptions::default() };
    let embedder = locate(OsStr::new(&model), &engine.pins)?.embedder(&options, cancel)?;
    Ok(prompt.with_embedder(embedder))
}

fn key(variable: &str) -> Result<String, Failure> {
    std::env::var(variable).map_err(|_| {
        Failure::usage(format!(
            "--key-env: there is no environment variable {}",
            crate::output::quoted(variable)
        ))
    })
}
