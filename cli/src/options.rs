//! The options that several commands share, and the checkpoint that they name.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use pinfold::{
    Cancel, Constraint, Embedder, EmbedderOptions, Error, LoadWatch, LockFile, Markers, Model, ModelOptions,
    Offload, Pinned, Sampling, SessionOptions,
};
use pinfold_checkpoints::Embedded;

use crate::input;
use crate::output::Failure;
use crate::pins::{self, PinArgs};
use crate::progress::{Bar, Spinner};

/// Which checkpoint, and on what it runs.
#[derive(Args)]
pub struct ModelArgs {
    /// A name of the lock file or of an embedded checkpoint (see `pinfold models`), or the path of a GGUF file
    pub model: OsString,

    #[command(flatten)]
    pub engine: EngineArgs,
}

/// On what a checkpoint runs, and where names are looked for.
#[derive(Args)]
pub struct EngineArgs {
    /// Threads that compute; 0 chooses by the machine and the checkpoint
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Engine")]
    pub threads: u32,

    /// Layers that a GPU computes; 0 for none. Without it, as many as fit
    #[arg(long, value_name = "N", help_heading = "Engine")]
    pub gpu_layers: Option<u32>,

    /// A device to compute on, as `pinfold devices` names it; may be given again
    #[arg(long, value_name = "NAME", help_heading = "Engine")]
    pub device: Vec<String>,

    /// Read the file into memory instead of mapping it
    #[arg(long, help_heading = "Engine")]
    pub no_mmap: bool,

    #[command(flatten)]
    pub pins: PinArgs,
}

/// A checkpoint that was found, not yet loaded.
#[derive(Debug)]
pub enum Located {
    Embedded(&'static Embedded),
    Pinned(Pinned),
    File(PathBuf),
}

impl Located {
    /// Loads it for generation, with a bar if that takes a while.
    pub fn load(self, options: &ModelOptions, cancel: &Cancel) -> pinfold::Result<Model> {
        let mut bar = Bar::new(Some(1000), "loading".into());
        let mut progress = |share: f32| bar.set((share * 1000.0) as u64);
        let watch = LoadWatch { progress: Some(&mut progress), cancel: cancel.clone() };
        match self {
            Self::Embedded(embedded) => embedded.load_watched(options, watch),
            Self::Pinned(pinned) => Model::load_pinned(&pinned, options, watch),
            Self::File(path) => Model::load_watched(path, options, watch),
        }
    }

    /// Loads it for embeddings.
    pub fn embedder(self, options: &EmbedderOptions, cancel: &Cancel) -> pinfold::Result<Embedder> {
        let watch = LoadWatch { progress: None, cancel: cancel.clone() };
        match self {
            Self::Embedded(embedded) => Embedder::load_bytes(embedded.name, embedded.bytes, options, watch),
            Self::Pinned(pinned) => Embedder::load(pinned.path, options, watch),
            Self::File(path) => Embedder::load(path, options, watch),
        }
    }
}

/// A checkpoint that was loaded.
pub struct Loaded {
    pub model: Model,
    /// As the user named it.
    pub name: String,
    pub seconds: f64,
}

/// Finds the checkpoint that the user named: in the lock file, among the embedded ones, or else as a file.
/// What has a folder in it, as `./intent`, is a file.
pub fn locate(name: &OsStr, pins: &PinArgs) -> Result<Located, Failure> {
    let path = PathBuf::from(name);
    let mut known = Vec::new();
    if let Some(name) = bare(&path) {
        if let Some(lock) = pins.lock.find()? {
            if lock.lock().file(name).is_some() {
                return pinned(&lock, name, pins).map(Located::Pinned);
            }
            known = pins::all(&lock);
        }
        if let Some(embedded) = pinfold_checkpoints::find(name) {
            return Ok(Located::Embedded(embedded));
        }
    }
    // What exists but cannot be read says so when it is opened.
    if path.try_exists().unwrap_or(true) {
        return Ok(Located::File(path));
    }
    known.extend(pinfold_checkpoints::all().iter().map(|embedded| embedded.name.to_owned()));
    let name = name.to_string_lossy().into_owned();
    Err(Error::UnknownCheckpoint { name, known: known.join(", ") }.into())
}

/// The name, if it may be another one than that of a file.
fn bare(path: &Path) -> Option<&str> {
    let mut components = path.components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) => name.to_str(),
        _ => None,
    }
}

fn pinned(lock: &LockFile, name: &str, pins: &PinArgs) -> Result<Pinned, Failure> {
    let store = pins.store.open()?;
    let _spinner = Spinner::start("checking the file");
    Ok(lock.resolve(name, &store, pins.verify.into())?)
}

impl ModelArgs {
    /// Loads the checkpoint, with a bar if it takes a while.
    pub fn load(&self, context_tokens: u32, cancel: &Cancel) -> Result<Loaded, Failure> {
        self.engine.load(&self.model, context_tokens, cancel)
    }
}

impl EngineArgs {
    /// The options of a model that holds one session of `context_tokens`.
    pub fn options(&self, context_tokens: u32) -> ModelOptions {
        let offload = Offload { layers: self.gpu_layers, devices: self.device.clone() };
        let (threads, mmap) = (self.threads, !self.no_mmap);
        ModelOptions { context_tokens, sessions: 1, threads, offload, mmap, ..ModelOptions::default() }
    }

    /// Loads a checkpoint by its name, with a bar if it takes a while.
    pub fn load(&self, model: &OsStr, context_tokens: u32, cancel: &Cancel) -> Result<Loaded, Failure> {
        let located = locate(model, &self.pins)?;
        let name = model.to_string_lossy().into_owned();
        let options = self.options(context_tokens);
        let started = Instant::now();
        let model = located.load(&options, cancel)?;
        Ok(Loaded { model, name, seconds: started.elapsed().as_secs_f64() })
    }
}

/// How much is generated, and where it stops.
#[derive(Args)]
pub struct GenerateArgs {
    /// Tokens at most; 0 for as many as fit into the context
    #[arg(short = 'n', long, value_name = "N", default_value_t = 512)]
    pub max_tokens: u32,

    /// A text that ends the answer; may be given again
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub stop: Vec<String>,

    /// Tokens of the context; 0 for what the checkpoint was trained on, at most 4096
    #[arg(short, long, value_name = "TOKENS", default_value_t = 0)]
    pub ctx: u32,

    /// Go on when the context is full: keep the first KEEP tokens, forget the oldest others
    #[arg(long, value_name = "KEEP")]
    pub slide: Option<u32>,

    /// What to do about text that spells a marker of the chat template that is ordinary text, as [INST]
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = MarkersArg::Reject)]
    pub markers: MarkersArg,

    #[command(flatten)]
    pub constraint: ConstraintArgs,

    #[command(flatten)]
    pub sampling: SamplingArgs,
}

/// What the answer must be. An answer that is cut before its end is an error.
#[derive(Args)]
#[command(next_help_heading = "Output")]
#[group(multiple = false)]
pub struct ConstraintArgs {
    /// JSON of the JSON Schema in FILE
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    /// A text that the regular expression matches as a whole
    #[arg(long, value_name = "PATTERN")]
    pub regex: Option<String>,

    /// One of these texts; give it for each
    #[arg(long, value_name = "TEXT")]
    pub choice: Vec<String>,

    /// A text of the grammar in FILE: Lark if its name ends in .lark, else GBNF
    #[arg(long, value_name = "FILE")]
    pub grammar: Option<PathBuf>,
}

impl ConstraintArgs {
    /// The constraint, if one was asked for.
    pub fn read(&self) -> Result<Option<Constraint>, Failure> {
        Ok(match (&self.schema, &self.regex, &self.grammar) {
            (Some(path), ..) => Some(Constraint::JsonSchema(input::json_file(path)?)),
            (_, Some(regex), _) => Some(Constraint::Regex(regex.clone())),
            (.., Some(path)) => {
                let grammar = input::text_file(path)?;
                let lark = path.extension().is_some_and(|extension| extension == "lark");
                Some(if lark { Constraint::Lark(grammar) } else { Constraint::Gbnf(grammar) })
            }
            _ if self.choice.is_empty() => None,
            _ => Some(Constraint::Choice(self.choice.clone())),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MarkersArg {
    /// Refuse it
    Reject,
    /// Put a space into the marker
    Neutralize,
}

impl From<MarkersArg> for Markers {
    fn from(markers: MarkersArg) -> Self {
        match markers {
            MarkersArg::Reject => Self::Reject,
            MarkersArg::Neutralize => Self::Neutralize,
        }
    }
}

impl GenerateArgs {
    pub fn session(&self) -> SessionOptions {
        SessionOptions { slide_keep: self.slide }
    }
}

/// How tokens are chosen. The defaults are those of [`Sampling`].
#[derive(Args)]
#[command(next_help_heading = "Sampling")]
pub struct SamplingArgs {
    /// 0 takes the likeliest token each time; 0.8 is a usual value for variety
    #[arg(short, long, value_name = "T", default_value_t = 0.0, allow_negative_numbers = true)]
    pub temperature: f32,

    /// The same seed draws the same tokens
    #[arg(short, long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Draw from the K likeliest tokens; 0 is off
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub top_k: u32,

    /// Draw from the likeliest tokens that have probability P together; 1 is off
    #[arg(long, value_name = "P", default_value_t = 1.0, allow_negative_numbers = true)]
    pub top_p: f32,

    /// Draw from the tokens that are P times as likely as the likeliest; 0 is off
    #[arg(long, value_name = "P", default_value_t = 0.0, allow_negative_numbers = true)]
    pub min_p: f32,

    /// Draw from the tokens of typical surprise that have probability P together; 1 is off
    #[arg(long, value_name = "P", default_value_t = 1.0, allow_negative_numbers = true)]
    pub typical_p: f32,

    /// Divides the scores of recent tokens; 1 is off
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_negative_numbers = true)]
    pub repetition_penalty: f32,

    /// Subtracted from the score of a recent token each time that it occurred; 0 is off
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true)]
    pub frequency_penalty: f32,

    /// Subtracted once from the score of a recent token; 0 is off
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true)]
    pub presence_penalty: f32,

    /// How many of the last tokens are recent
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub penalty_window: u32,
}

impl SamplingArgs {
    /// The settings, checked before a checkpoint is loaded for them.
    pub fn sampling(&self) -> Result<Sampling, Failure> {
        let sampling = Sampling {
            temperature: self.temperature,
            seed: self.seed,
            penalty_window: self.penalty_window,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            top_k: self.top_k,
            typical_p: self.typical_p,
            top_p: self.top_p,
            min_p: self.min_p,
            ..Sampling::default()
        };
        sampling.validate(usize::MAX)?;
        Ok(sampling)
    }
}
