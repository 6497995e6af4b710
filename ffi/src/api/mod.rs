//! The foreign API, said once: its objects, and the value types of core.
//!
//! Every call blocks until it is done; a binding puts it on a thread of its own where its language wants that.
//! All objects are `Send + Sync`. Each holds what it needs, so they may be dropped in any order. Defaults and
//! checks are here, so that all languages share them.

mod cancel;
mod checkpoint;
mod error;
mod lock_file;
mod log;
mod machine;
mod model;
mod pins;
mod pull;
mod session;
mod store;
mod stream;
mod types;
mod verify;
mod watch;

pub use cancel::Cancel;
pub use checkpoint::{CheckpointInfo, EmbeddedInfo, embedded_checkpoints, inspect_checkpoint};
pub use error::{CallbackError, PinfoldError};
pub use lock_file::{LockFile, PinnedFile};
pub use log::{LogLevel, LogSink, set_log_sink};
pub use machine::{devices, version};
pub use model::Model;
pub use pins::{PinnedAdapter, PinnedCheckpoint, PinnedGolden};
pub use pull::PullOptions;
pub use session::Session;
pub use store::{Collected, DamagedEntry, Store, StoreEntry, StoreOptions};
pub use stream::Stream;
pub use types::{Facts, GenerateOptions};
pub use verify::{VerifyOptions, VerifyReport};
pub use watch::{LoadProgress, PullProgress, StoreProgress, VerifyProgress};

// Core's value types, which are part of this API: a client of it names no other crate.
pub use pinfold::verify::{Cause, Difference, FileReport, GoldenOutcome, GoldenReport};
pub use pinfold::{
    Chunk, Device, DeviceKind, Finish, FinishReason, GeneratedToken, MemoryEstimate, Message, ModelOptions,
    Offload, Role, Sampling, SessionOptions, Token, TokenLogprob,
};

/// Short for `std::result::Result<T, PinfoldError>`.
pub type Result<T, E = PinfoldError> = std::result::Result<T, E>;
