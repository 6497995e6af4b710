//! Pinfold runs pinned checkpoints on the device.
//!
//! ```no_run
//! use pinfold::{GenerateOptions, Model, ModelOptions};
//!
//! let model = Model::load("checkpoint.gguf", &ModelOptions::default())?;
//! let session = model.session()?;
//! session.append("Once upon a time", pinfold::Special::Plain)?;
//! for chunk in session.generate(&GenerateOptions::default())? {
//!     print!("{}", chunk?.text);
//! }
//! # Ok::<(), pinfold::Error>(())
//! ```
//!
//! A [`Model`] is a loaded checkpoint, a [`Session`] a sequence of tokens over it, a [`Stream`] a
//! generation that is pulled piece by piece. A [`Cancel`] stops any of it from another thread.
//! `docs/architecture.md` shows how the rooms of the crate hang together.
#![deny(missing_docs)]

/// The version of Pinfold.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod backend;
pub mod cancel;
pub mod chain;
pub mod checkpoint;
pub mod constraint;
pub mod digest;
pub mod embedder;
pub mod engine;
pub mod error;
pub mod few_shot;
mod files;
pub mod lock;
pub mod model;
pub mod prompt;
pub mod pull;
pub mod runtime;
pub mod sampler;
pub mod signature;
mod spelling;
pub mod store;
mod tokenizer;
pub mod verify;
pub mod vocabulary;

pub use backend::Backend;
pub use cancel::Cancel;
pub use chain::{Chain, ChainRun, ChainWatch};
pub use checkpoint::{Checkpoint, Defect, MemoryEstimate};
pub use constraint::Constraint;
pub use digest::Digest;
pub use embedder::{Embedder, EmbedderOptions};
pub use engine::Special;
pub use engine::devices::{Device, DeviceKind, Offload};
pub use error::{Error, Result};
pub use few_shot::FewShot;
pub use lock::{Lock, LockFile, Pinned, Source};
pub use model::{LoadWatch, Model, ModelOptions};
pub use prompt::{ChatTemplate, Markers, Message, PromptFile, Role, SealedPrompt, Sealer, Values};
pub use pull::{PullOptions, PullProgress, PullWatch};
pub use runtime::{
    Chunk, Completion, Finish, FinishReason, GenerateOptions, GeneratedToken, Session, SessionOptions, Stream,
};
pub use sampler::{Sampling, TokenLogprob, TokenMask};
pub use signature::PublicKey;
pub use store::{Check, Store, StoreOptions};
pub use tokenizer::Tokenizer;
pub use verify::{VerifyOptions, VerifyReport};
pub use vocabulary::{Token, TokenKind, Vocabulary};
