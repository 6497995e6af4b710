//! A model: a loaded checkpoint with the worker that computes on it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::cancel::Cancel;
use crate::checkpoint::{Checkpoint, Digest, MemoryEstimate};
use crate::constraint::Grammars;
use crate::engine::devices::{self, Offload};
use crate::engine::{EngineOptions, Facts, Special, Weights};
use crate::error::{Error, Result};
use crate::prompt::{ChatTemplate, Conversation, Markers, Message, SealedPrompt, Sealer, Text};
use crate::runtime::saved::Binding;
use crate::runtime::worker::Worker;
use crate::runtime::{Session, SessionOptions};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Token, Vocabulary};

/// How a model is loaded. The defaults suit an app that chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOptions {
    /// Tokens that all sessions hold together; 0 for what the checkpoint was trained on, at most 4096. If
    /// [reproducible](Self::reproducible), tokens that each session may hold.
    pub context_tokens: u32,
    /// Sessions that can be open at once, 1 to 256. They share the context, so this costs little, unless
    /// [reproducible](Self::reproducible).
    pub sessions: u32,
    /// Threads that compute; 0 to choose by the machine and the checkpoint.
    pub threads: u32,
    /// Tokens of a prompt that are computed at once; 0 to choose by the size of the checkpoint, so that
    /// a slice takes about a tenth of a second on two desktop cores. Other sessions wait for a slice.
    pub slice_tokens: u32,
    /// What a GPU computes.
    pub offload: Offload,
    /// Whether the file is mapped instead of read.
    pub mmap: bool,
    /// Whether a checkpoint that cannot fit into the free memory is refused.
    pub check_memory: bool,
    /// Whether the logits of a session depend, bit for bit, on its tokens alone: not on what was computed
    /// before and kept, on slices, on other sessions, on the number of threads. On the same processor kind
    /// (or GPU) and version of Pinfold the same tokens come out. Each session then has a cache of its own for
    /// `context_tokens`, prompts are computed token by token, at about the speed of generation, and a session
    /// cannot [slide](crate::SessionOptions::slide_keep). `docs/adr/0007-reproducible-mode.md` has the reasons.
    pub reproducible: bool,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            context_tokens: 0,
            sessions: 8,
            threads: 0,
            slice_tokens: 0,
            offload: Offload::default(),
            mmap: true,
            check_memory: true,
            reproducible: false,
        }
    }
}

/// What watches a load.
#[derive(Default)]
pub struct LoadWatch<'a> {
    /// Called with the share that is loaded, 0 to 1, on the calling thread.
    pub progress: Option<&'a mut dyn FnMut(f32)>,
    /// Stops the load from another thread.
    pub cancel: Cancel,
}

/// A loaded checkpoint, ready for sessions.
///
/// `Send + Sync`, and cheap to clone: clones share the weights. The memory is given back when the last
/// clone, session and stream is gone, in whatever order; the last drop waits for a decode under way.
#[derive(Clone)]
pub struct Model(Arc<ModelInner>);

pub(crate) struct ModelInner {
    pub weights: Arc<dyn Weights>,
    pub tokenizer: Tokenizer,
    pub worker: Arc<Worker>,
    context_tokens: u32,
    reproducible: bool,
    origin: Origin,
    digest: OnceLock<Digest>,
    template: OnceLock<Option<ChatTemplate>>,
    grammars: OnceLock<Grammars>,
    sealer: OnceLock<Sealer>,
}

/// Where the bytes came from, for the digest.
#[cfg_attr(not(feature = "llama"), allow(dead_code, reason = "only the engine of checkpoints loads files"))]
enum Origin {
    File { path: PathBuf, stamp: Stamp },
    Known,
}

/// What tells whether a file was written since.
type Stamp = (u64, Option<SystemTime>);

fn stamp(path: &Path) -> Result<Stamp> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    Ok((metadata.len(), metadata.modified().ok()))
}

#[cfg(feature = "llama")]
impl Model {
    /// Loads the GGUF checkpoint at `path`, after the [preflight](crate::checkpoint).
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadCheckpoint`], [`Error::OutOfMemory`], [`Error::Unsupported`] (a pure
    /// encoder), [`Error::LoadFailed`] or [`Error::InvalidOption`].
    pub fn load(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Self> {
        Self::load_watched(path, options, LoadWatch::default())
    }

    /// [`load`](Self::load) with progress and cancel.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), and [`Error::Cancelled`].
    pub fn load_watched(
        path: impl AsRef<Path>,
        options: &ModelOptions,
        watch: LoadWatch<'_>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let stamp = stamp(path)?;
        let checkpoint = crate::checkpoint::open(path)?;
        let name = path.display().to_string();
        let source = crate::engine::llama::Source::Path(path.to_owned());
        let origin = Origin::File { path: path.to_owned(), stamp };
        Self::load_checked(&name, &checkpoint, &source, origin, options, watch)
    }

    /// Loads a checkpoint that is in memory, e.g. an embedded one; `name` stands in errors. The bytes
    /// are copied, and may go after the call.
    ///
    /// # Errors
    /// Those of [`load_watched`](Self::load_watched).
    pub fn load_bytes(
        name: &str,
        bytes: &[u8],
        options: &ModelOptions,
        watch: LoadWatch<'_>,
    ) -> Result<Self> {
        let checkpoint = crate::checkpoint::open_bytes(name, bytes)?;
        let source = crate::engine::llama::Source::Bytes(bytes);
        let model = Self::load_checked(name, &checkpoint, &source, Origin::Known, options, watch)?;
        let _ = model.0.digest.set(Digest::of_bytes(bytes));
        Ok(model)
    }

    /// Loads the file that a name of a lock file [resolved](crate::LockFile::resolve) to. Its digest is known
    /// then, and not computed again.
    ///
    /// # Errors
    /// Those of [`load_watched`](Self::load_watched).
    pub fn load_pinned(
        pinned: &crate::lock::Pinned,
        options: &ModelOptions,
        watch: LoadWatch<'_>,
    ) -> Result<Self> {
        let model = Self::load_watched(&pinned.path, options, watch)?;
        let _ = model.0.digest.set(pinned.digest);
        Ok(model)
    }

    fn load_checked(
        name: &str,
        checkpoint: &Checkpoint,
        source: &crate::engine::llama::Source<'_>,
        origin: Origin,
        options: &ModelOptions,
        watch: LoadWatch<'_>,
    ) -> Result<Self> {
        watch.cancel.check()?;
        if options.check_memory {
            check_memory(&options.offload, &options.estimate(checkpoint))?;
        }
        let load = crate::engine::llama::LoadOptions {
            offload: options.offload.clone(),
            mmap: options.mmap,
            progress: watch.progress,
            cancel: watch.cancel,
        };
        let weights = crate::engine::llama::LlamaWeights::load(name, checkpoint, source, load)?;
        Self::start(Arc::new(weights), origin, options)
    }
}

impl Model {
    /// A model over weights of any engine, e.g. a [script](crate::engine::scripted).
    ///
    /// # Errors
    /// [`Error::InvalidOption`], or the engine's.
    pub fn from_weights(weights: Arc<dyn Weights>, options: &ModelOptions) -> Result<Self> {
        let model = Self::start(weights, Origin::Known, options)?;
        let _ = model.0.digest.set(Digest([0; 32]));
        Ok(model)
    }

    fn start(weights: Arc<dyn Weights>, origin: Origin, options: &ModelOptions) -> Result<Self> {
        let facts = weights.facts();
        if !facts.has_decoder {
            let what = format!("sessions on {:?}, which is a pure encoder", facts.architecture);
            return Err(Error::Unsupported { what });
        }
        let engine = options.engine(facts.context_length, facts.parameters, facts.bytes);
        let context_tokens = engine.context_tokens;
        let slice = options.slice_of(facts.parameters);
        let worker = Worker::start(weights.clone(), engine, slice as usize)?;
        Ok(Self(Arc::new(ModelInner {
            tokenizer: Tokenizer::from_weights(weights.clone()),
            weights,
            worker,
            context_tokens,
            reproducible: options.reproducible,
            origin,
            digest: OnceLock::new(),
            template: OnceLock::new(),
            grammars: OnceLock::new(),
            sealer: OnceLock::new(),
        })))
    }

    pub(crate) fn from_inner(inner: Arc<ModelInner>) -> Self {
        Self(inner)
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`Error::TooManySessions`].
    pub fn session(&self) -> Result<Session> {
        self.session_with(SessionOptions::default())
    }

    /// Opens a session that behaves as `options` say.
    ///
    /// # Errors
    /// [`Error::TooManySessions`], or [`Error::InvalidOption`] for one that slides on a
    /// [reproducible](ModelOptions::reproducible) model.
    pub fn session_with(&self, options: SessionOptions) -> Result<Session> {
        if self.0.reproducible && options.slide_keep.is_some() {
            let reason =
                "a session of a reproducible model cannot slide; load the model without reproducible";
            return Err(Error::option("slide_keep", reason));
        }
        Session::open(self.0.clone(), options)
    }

    /// The tokens.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.0.weights.vocabulary()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.0.tokenizer
    }

    /// Facts about the checkpoint.
    pub fn facts(&self) -> &Facts {
        self.0.weights.facts()
    }

    /// Tokens that all sessions hold together; that each may hold, if [reproducible](Self::is_reproducible).
    pub fn context_tokens(&self) -> u32 {
        self.0.context_tokens
    }

    /// Whether it was loaded with [`ModelOptions::reproducible`].
    pub fn is_reproducible(&self) -> bool {
        self.0.reproducible
    }

    /// What computes: `cpu x86_64-linux avx512` with the instruction set of the kernels, `cuda NVIDIA H100`,
    /// `scripted`. Logits of a reproducible model can be the same bit for bit only where this is the same.
    pub fn backend_name(&self) -> String {
        self.0.weights.backend()
    }

    /// The tokens of `text`, without a begin-of-sequence token.
    ///
    /// # Errors
    /// [`Error::Engine`] for a text of more than 2 GiB.
    pub fn tokenize(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        self.0.weights.tokenize(text, special)
    }

    /// The tokens of `text` at the start of a session: with the begin-of-sequence token in front, where the
    /// checkpoint wants one and the text does not begin with it.
    ///
    /// # Errors
    /// Those of [`tokenize`](Self::tokenize).
    pub fn prompt_tokens(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        self.0.prompt_tokens(text, special)
    }

    /// The prompt that the checkpoint's chat template makes of `messages`, ready for the answer: a text for
    /// people to look at. Its tokens are those of [`prompt`](Self::prompt), since what was a value in it is not
    /// known any more.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] if there is none, or if it fails.
    pub fn chat_prompt(&self, messages: &[Message]) -> Result<String> {
        Ok(self.chat_template()?.render(&messages.iter().collect())?.into_string())
    }

    /// The tokens of a text, in which no value becomes control; without a begin-of-sequence token of its own.
    ///
    /// # Errors
    /// Those of [`Sealer::seal`].
    pub fn seal(&self, text: &Text, markers: Markers) -> Result<SealedPrompt> {
        self.sealer()?.seal(text, markers)
    }

    /// The tokens of the prompt that the checkpoint's chat template makes of a conversation, for an empty
    /// [`Session`]. No value in it becomes control.
    ///
    /// # Errors
    /// Those of [`chat_template`](Self::chat_template) and [`Sealer::prompt`].
    pub fn prompt(&self, conversation: &Conversation, markers: Markers) -> Result<SealedPrompt> {
        self.sealer()?.prompt(self.chat_template()?, conversation, markers)
    }

    /// [`prompt`](Self::prompt) for a template that may ask for the time: it is `now`.
    pub(crate) fn prompt_at(&self, conversation: &Conversation, now: SystemTime) -> Result<SealedPrompt> {
        let template = self.chat_template()?.clone().at(now);
        self.sealer()?.prompt(&template, conversation, Markers::Reject)
    }

    /// What seals the prompts of the checkpoint's own chat template.
    ///
    /// # Errors
    /// Those of [`chat_template`](Self::chat_template), except that there may be none, and of [`Sealer::new`].
    pub fn sealer(&self) -> Result<&Sealer> {
        if let Some(sealer) = self.0.sealer.get() {
            return Ok(sealer);
        }
        let template = self.facts().chat_template.is_some().then(|| self.chat_template()).transpose()?;
        let sealer = Sealer::new(&self.0.tokenizer, template)?;
        Ok(self.0.sealer.get_or_init(|| sealer))
    }

    /// The chat template of the checkpoint, with the spellings of its tokens. What it renders knows which of
    /// its bytes are values.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] if there is none, or if it cannot be parsed.
    pub fn chat_template(&self) -> Result<&ChatTemplate> {
        let template = match self.0.template.get() {
            Some(template) => template,
            None => {
                let source = self.facts().chat_template.as_deref();
                let parsed = source.map(|source| self.0.tokenizer.chat_template(source)).transpose()?;
                self.0.template.get_or_init(|| parsed)
            }
        };
        let reason = "the checkpoint has none; give the prompt as it is";
        template.as_ref().ok_or_else(|| Error::ChatTemplate { reason: reason.into() })
    }

    /// What compiles constraints for the vocabulary. The first call, or the first generation with a constraint,
    /// prepares it.
    ///
    /// # Errors
    /// [`Error::Engine`] if the vocabulary is not one that masks can be computed for.
    pub fn grammars(&self) -> Result<&Grammars> {
        self.0.grammars()
    }

    /// The SHA-256 of the checkpoint's bytes. The first call reads the file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadSession`] if the file was changed after it was loaded.
    pub fn digest(&self) -> Result<Digest> {
        self.0.digest()
    }
}

impl ModelInner {
    /// What saved sessions are bound to. A reproducible model takes no state that was computed otherwise: in
    /// batches, by other kernels, or for another length of context, which some checkpoints' positions depend on.
    pub fn binding(&self) -> Result<Binding> {
        let mut engine = format!("llama.cpp {}", crate::engine::llama_cpp_revision());
        if self.reproducible {
            let (backend, tokens) = (self.weights.backend(), self.context_tokens);
            engine.push_str(&format!(", reproducible, {backend}, context {tokens}"));
        }
        Ok(Binding { checkpoint: self.digest()?, engine })
    }

    /// See [`Model::grammars`].
    pub fn grammars(&self) -> Result<&Grammars> {
        if let Some(grammars) = self.grammars.get() {
            return Ok(grammars);
        }
        let grammars = Grammars::new(self.weights.vocabulary())?;
        Ok(self.grammars.get_or_init(|| grammars))
    }

    /// See [`Model::prompt_tokens`].
    pub fn prompt_tokens(&self, text: &str, special: Special) -> Result<Vec<Token>> {
        self.tokenizer.prompt_tokens(text, special)
    }

    pub fn digest(&self) -> Result<Digest> {
        if let Some(digest) = self.digest.get() {
            return Ok(*digest);
        }
        let Origin::File { path, stamp: loaded } = &self.origin else {
            return Err(Error::engine("a model of unknown bytes"));
        };
        if stamp(path)? != *loaded {
            let reason = "the checkpoint was changed after it was loaded".to_owned();
            return Err(Error::BadSession { path: path.clone(), reason });
        }
        let digest = Digest::of_file(path)?;
        Ok(*self.digest.get_or_init(|| digest))
    }
}

impl ModelOptions {
    /// The memory that a checkpoint takes with these options. Weights that a GPU takes are counted too.
    pub fn estimate(&self, checkpoint: &Checkpoint) -> MemoryEstimate {
        let trained = checkpoint.hyperparameters().context_length;
        let engine = self.engine(trained, checkpoint.parameters(), checkpoint.weight_bytes());
        let sessions = if self.reproducible { self.sessions } else { 1 };
        let context_tokens = engine.context_tokens.saturating_mul(sessions);
        checkpoint.memory(context_tokens, engine.decode_tokens(), engine.sequences)
    }

    fn engine(&self, trained: u32, parameters: u64, bytes: u64) -> EngineOptions {
        let context_tokens = self.context_of(trained);
        let threads = match self.threads {
            0 => devices::automatic_threads(bytes),
            threads => threads,
        };
        let batch_tokens = self.slice_of(parameters).saturating_add(self.sessions).min(context_tokens);
        EngineOptions {
            context_tokens,
            sequences: self.sessions,
            batch_tokens,
            threads,
            embeddings: false,
            reproducible: self.reproducible,
        }
    }

    /// The tokens of the context for a checkpoint that was trained on so many.
    pub fn context_of(&self, trained: u32) -> u32 {
        const CONTEXT: u32 = 4096;
        match self.context_tokens {
            0 => trained.clamp(1, CONTEXT),
            tokens => tokens,
        }
    }

    /// The tokens of a slice for a checkpoint of so many parameters. It depends on nothing else, never on
    /// time, so that the same prompt is computed the same way on every run.
    pub fn slice_of(&self, parameters: u64) -> u32 {
        /// Multiplications and additions of a tenth of a second on two slow desktop cores.
        const BUDGET: u64 = 16_000_000_000;
        match self.slice_tokens {
            0 => {
                let tokens = BUDGET / parameters.saturating_mul(2).max(1);
                (tokens.clamp(16, 512) / 16 * 16) as u32
            }
            tokens => tokens,
        }
    }
}

#[cfg(feature = "llama")]
fn has_gpu() -> Result<bool> {
    let devices = crate::engine::llama::devices()?;
    Ok(devices.iter().any(|device| device.kind != devices::DeviceKind::Cpu))
}

/// Refuses what cannot fit, where no GPU takes a part of it. Mapped weights count in full: a model that does not fit beside its cache is
/// read from the disk again for every token.
#[cfg(feature = "llama")]
pub(crate) fn check_memory(offload: &Offload, estimate: &MemoryEstimate) -> Result<()> {
    if offload.layers != Some(0) && has_gpu()? {
        return Ok(());
    }
    let Some(available) = devices::available_memory() else { return Ok(()) };
    if estimate.total() <= available {
        return Ok(());
    }
    let MemoryEstimate { weights, kv_cache, compute } = *estimate;
    Err(Error::OutOfMemory { weights, kv_cache, compute, available })
}
