//! What computes: a loaded checkpoint ([`Weights`]) and a context over it ([`Engine`]).
//!
//! Two implementations: `llama` runs GGUF checkpoints by llama.cpp; [`scripted`] plays a script, so
//! that most tests need no model. Nothing outside of this room knows which one runs.

pub mod devices;
#[cfg(feature = "llama")]
pub mod llama;
pub mod scripted;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::vocabulary::{Token, Vocabulary};

/// Which sequence of an engine: `0..limits().sequences`.
pub type SequenceId = u32;

/// A place in a sequence, counted in tokens from 0.
pub type Position = u32;

/// How special tokens that are spelled out in a text are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// As tokens: for text that the author of a prompt or a chat template wrote.
    Parse,
    /// As plain text: for text of a user.
    Plain,
}

/// Facts about a loaded checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The architecture's name, as in GGUF's `general.architecture`.
    pub architecture: String,
    /// The number of parameters.
    pub parameters: u64,
    /// The bytes of all tensors.
    pub bytes: u64,
    /// The length of the context that it was trained on, in tokens.
    pub context_length: u32,
    /// The width of an embedding.
    pub embedding_width: u32,
    /// Whether [`Engine::encode`] must run before [`Engine::decode`].
    pub has_encoder: bool,
    /// Whether it generates at all; a pure encoder does not.
    pub has_decoder: bool,
    /// The chat template (Jinja), if the file has one.
    pub chat_template: Option<String>,
    /// How tokens become the embedding of a text: GGUF's `pooling_type` (0 not at all, 1 mean, 2 first, 3 last,
    /// 4 a rank), if the file says.
    pub pooling: Option<u32>,
    /// The tokens around a text that is embedded, e.g. BERT's `[CLS]` and `[SEP]`.
    pub frame: Frame,
}

/// The tokens that a tokenizer puts around a text that stands alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// In front of it.
    pub start: Vec<Token>,
    /// Behind it.
    pub end: Vec<Token>,
}

/// What a context is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Tokens that all sequences hold together; that each may hold, if [reproducible](Self::reproducible).
    pub context_tokens: u32,
    /// The number of sequences.
    pub sequences: u32,
    /// Tokens of one [`Engine::decode`] at most.
    pub batch_tokens: u32,
    /// Threads that compute.
    pub threads: u32,
    /// Open for [`Engine::embed`] instead of generation.
    pub embeddings: bool,
    /// The logits of a sequence depend, bit for bit, on its tokens alone: each sequence has cells of its own,
    /// and a decode takes one token.
    pub reproducible: bool,
}

impl EngineOptions {
    /// Tokens that a decode takes at most.
    pub(crate) fn decode_tokens(&self) -> u32 {
        if self.reproducible { 1 } else { self.batch_tokens }
    }

    /// Checks that each option is in its range; every engine does so when it opens a context.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] with the first option that is not.
    pub fn validate(&self) -> Result<()> {
        /// llama.cpp's own bound.
        const MAX_SEQUENCES: u32 = 256;
        const MAX_THREADS: u32 = 512;
        const MAX_TOKENS: u32 = i32::MAX as u32 / 2;
        if !(1..=MAX_SEQUENCES).contains(&self.sequences) {
            return Err(Error::option("sessions", format!("{} of 1 to {MAX_SEQUENCES}", self.sequences)));
        }
        if self.context_tokens == 0 || self.context_tokens > MAX_TOKENS {
            return Err(Error::option("context_tokens", format!("{} of 1 to 2^30", self.context_tokens)));
        }
        let cells = u64::from(self.context_tokens) * u64::from(self.sequences);
        if self.reproducible && cells > u64::from(MAX_TOKENS) {
            let reason =
                format!("{} for each of {} sessions; 2^30 in all", self.context_tokens, self.sequences);
            return Err(Error::option("context_tokens", reason));
        }
        if self.reproducible && self.embeddings {
            return Err(Error::option("reproducible", "for generation alone, not for embeddings"));
        }
        if self.batch_tokens == 0 {
            return Err(Error::option("batch_tokens", "0; at least 1"));
        }
        if !(1..=MAX_THREADS).contains(&self.threads) {
            return Err(Error::option("threads", format!("{} of 1 to {MAX_THREADS}", self.threads)));
        }
        Ok(())
    }
}

/// The llama.cpp that this build holds: its own version and that of the crate that brings it.
pub fn llama_cpp_revision() -> String {
    #[cfg(feature = "llama")]
    return llama::revision();
    #[cfg(not(feature = "llama"))]
    return "none".to_owned();
}

/// A loaded checkpoint: shared by all threads, immutable.
pub trait Weights: Send + Sync {
    /// The tokens.
    fn vocabulary(&self) -> &Vocabulary;

    /// Facts about the checkpoint.
    fn facts(&self) -> &Facts;

    /// The tokens of `text`, without a begin-of-sequence token.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) if the text is too long to be counted (2 GiB).
    fn tokenize(&self, text: &str, special: Special) -> Result<Vec<Token>>;

    /// Loads an adapter (LoRA, GGUF) for this checkpoint.
    ///
    /// # Errors
    /// [`Error::LoadFailed`](crate::Error::LoadFailed) if it is not one, or not for this checkpoint.
    fn load_adapter(&self, path: &Path) -> Result<Arc<dyn Adapter>>;

    /// What computes, to be compared with what computed elsewhere: for a processor its architecture and system
    /// and the instruction set of the kernels (`cpu x86_64-linux avx512`), for a GPU the backend and its name
    /// (`cuda NVIDIA H100`).
    fn backend(&self) -> String;

    /// Opens a context. It must stay on the thread that opened it.
    ///
    /// # Errors
    /// [`Error::InvalidOption`](crate::Error::InvalidOption), or
    /// [`Error::Engine`](crate::Error::Engine) if there is no memory.
    fn open(&self, options: &EngineOptions) -> Result<Box<dyn Engine>>;
}

/// An adapter that [`Weights::load_adapter`] loaded; it keeps its checkpoint alive.
pub trait Adapter: Send + Sync {
    /// For the engine that made it: the adapter as its own type.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// What an engine was opened with, after the engine adjusted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens that all sequences hold together; that each may hold, if [reproducible](Self::reproducible).
    pub context_tokens: usize,
    /// The number of sequences.
    pub sequences: usize,
    /// Tokens of one [`Engine::decode`] at most.
    pub batch_tokens: usize,
    /// Whether [`Engine::sequence_shift`] works for this checkpoint.
    pub can_shift: bool,
    /// Whether it was opened [reproducibly](EngineOptions::reproducible).
    pub reproducible: bool,
}

/// How the embeddings of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// They do not: one row for each token.
    None,
    /// The mean of all tokens.
    Mean,
    /// The first token (BERT's `[CLS]`).
    First,
    /// The last token.
    Last,
}

/// Rows of numbers: `rows * width` values.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The values, row by row.
    pub values: Vec<f32>,
    /// The length of a row.
    pub width: usize,
}

/// One token of a [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchToken {
    /// The token.
    pub token: Token,
    /// The sequence it extends.
    pub sequence: SequenceId,
    /// Its place there; the next free one.
    pub position: Position,
    /// Whether the logits after it are wanted.
    pub output: bool,
}

/// Tokens to decode in one call, of one or several sequences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The tokens; those of one sequence in the order of their positions.
    pub tokens: Vec<BatchToken>,
}

impl Batch {
    /// Adds a token.
    pub fn push(&mut self, token: BatchToken) {
        self.tokens.push(token);
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.tokens.clear();
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }
}

/// A context over a checkpoint: sequences of tokens with their key-value cache, and the computing.
///
/// Not `Send`: it is opened and used on one thread, and the runtime's worker owns it. Every call
/// checks its arguments before it computes, and a call that fails leaves the sequences as they were.
pub trait Engine {
    /// What the context can hold.
    fn limits(&self) -> Limits;

    /// The vocabulary of its checkpoint.
    fn vocabulary(&self) -> &Vocabulary;

    /// Extends sequences by the tokens of `batch` and computes the outputs that it wants.
    ///
    /// # Errors
    /// [`Error::ContextFull`](crate::Error::ContextFull) if the tokens do not fit,
    /// [`Error::Cancelled`](crate::Error::Cancelled) if `cancel` was set while it computed,
    /// [`Error::Engine`](crate::Error::Engine) for a batch that is not well-formed.
    fn decode(&mut self, batch: &Batch, cancel: Option<&Cancel>) -> Result<()>;

    /// The logits of the `output`-th token that wanted them in the last [`decode`](Self::decode): one
    /// value for each token of the vocabulary.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) if there is no such output.
    fn logits(&self, output: usize) -> Result<&[f32]>;

    /// Runs the encoder of an encoder-decoder checkpoint over `tokens`; its result is kept for the
    /// decoder.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) if the checkpoint has none.
    fn encode(&mut self, tokens: &[Token]) -> Result<()>;

    /// The embeddings of each of `texts`, which must fit into one batch each. The context must be open
    /// for embeddings.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) if it is not,
    /// [`Error::ContextFull`](crate::Error::ContextFull) for a text that is too long.
    fn embed(&mut self, texts: &[&[Token]], pooling: Pooling) -> Result<Vec<Embedding>>;

    /// Forgets the tokens at `range` of `sequence`. What comes after keeps its position.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) if the checkpoint's memory cannot drop a part.
    fn sequence_remove(&mut self, sequence: SequenceId, range: Range<Position>) -> Result<()>;

    /// Makes `to` begin with the tokens at `range` of `from`, without computing; `to` must be empty.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) for a sequence that does not exist,
    /// [`Error::Unsupported`](crate::Error::Unsupported) if a copy would not be reproducible.
    fn sequence_copy(&mut self, from: SequenceId, to: SequenceId, range: Range<Position>) -> Result<()>;

    /// Moves the tokens at `range` of `sequence` by `by` places.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) unless [`Limits::can_shift`].
    fn sequence_shift(&mut self, sequence: SequenceId, range: Range<Position>, by: i32) -> Result<()>;

    /// The state of `sequence` as bytes that only the same engine and checkpoint can read.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) if the engine refuses,
    /// [`Error::Unsupported`](crate::Error::Unsupported) if what comes back would not be reproducible.
    fn save_state(&mut self, sequence: SequenceId) -> Result<Vec<u8>>;

    /// Puts back what [`save_state`](Self::save_state) gave; `sequence` must be empty. The caller must
    /// know that the bytes are unchanged (a digest), since they are not checked in depth here.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) if they do not fit.
    fn load_state(&mut self, sequence: SequenceId, state: &[u8]) -> Result<()>;

    /// The adapters that decode from now on, each with its scale; an empty list removes them.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for an adapter of another engine or checkpoint.
    fn set_adapters(&mut self, adapters: &[(Arc<dyn Adapter>, f32)]) -> Result<()>;
}
