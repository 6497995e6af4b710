//! The one error type of the crate: a variant for each failure that a caller can act on.

use std::path::{Path, PathBuf};

use crate::checkpoint::{Defect, Digest};

/// Short for `std::result::Result<T, pinfold::Error>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. The message says what is wrong and, where there is one, what to do.
///
/// No variant carries text of the user: messages may go to logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The checkpoint's bytes would not run safely: the preflight refused them.
    #[error("{name} is not a checkpoint that can run: {defect}")]
    BadCheckpoint {
        /// The file, or the name of an embedded checkpoint.
        name: String,
        /// What is wrong, and where.
        defect: Box<Defect>,
    },

    /// No embedded checkpoint or file has this name.
    #[error("no checkpoint is named {name:?}: give the path of a GGUF file, or one of: {known}")]
    UnknownCheckpoint {
        /// The name that was asked for.
        name: String,
        /// The names that exist, comma-separated.
        known: String,
    },

    /// The checkpoint passed the preflight, but the engine could not load it.
    #[error("{name} could not be loaded: {reason}")]
    LoadFailed {
        /// The file, or the name of an embedded checkpoint.
        name: String,
        /// What the engine said last.
        reason: String,
    },

    /// The checkpoint does not fit into the memory that is free. All numbers are bytes.
    #[error(
        "needs {} MiB (weights {}, KV cache {}, compute {}) but {} MiB are free: \
         use a smaller context, fewer sessions or a smaller checkpoint",
        mib(weights + kv_cache + compute), mib(*weights), mib(*kv_cache), mib(*compute), mib(*available)
    )]
    OutOfMemory {
        /// Bytes of the weights.
        weights: u64,
        /// Bytes of the key-value cache.
        kv_cache: u64,
        /// Bytes of the scratch space of one decode.
        compute: u64,
        /// Bytes that are free.
        available: u64,
    },

    /// The context has no room for the tokens. Nothing was added.
    #[error(
        "the context holds {used} of {capacity} tokens and {requested} more do not fit: \
         shorten the text, rewind or drop a session, enlarge the context, or ask for a sliding one"
    )]
    ContextFull {
        /// Tokens held now, over all sessions of the model.
        used: usize,
        /// Tokens that were to be added.
        requested: usize,
        /// Tokens that fit at most.
        capacity: usize,
    },

    /// All sequences of the model are taken.
    #[error("all {capacity} sessions of the model are in use: drop one, or load with more sessions")]
    TooManySessions {
        /// How many there can be.
        capacity: usize,
    },

    /// The session is generating; its stream must end or be dropped first.
    #[error("the session is busy: finish, cancel or drop its stream first")]
    SessionBusy,

    /// There is nothing to continue: the session holds no token.
    #[error("the session is empty: append text or tokens first")]
    SessionEmpty,

    /// The work was cancelled by its [`Cancel`](crate::Cancel).
    #[error("cancelled")]
    Cancelled,

    /// An option is out of its range.
    #[error("{option}: {reason}")]
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// The range, and what was given.
        reason: String,
    },

    /// A token id is not in the vocabulary.
    #[error("token {token} is not in the vocabulary of {vocabulary} tokens")]
    UnknownToken {
        /// The id.
        token: i64,
        /// The size of the vocabulary.
        vocabulary: usize,
    },

    /// The sampler cannot choose: no candidate is left, or the logits are not numbers.
    #[error("no token can be sampled: {reason}")]
    NoCandidate {
        /// What left none.
        reason: String,
    },

    /// A saved session cannot be restored here.
    #[error("{}: not a session that can be restored: {reason}", path.display())]
    BadSession {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The checkpoint has no chat template, or it failed.
    #[error("chat template: {reason}")]
    ChatTemplate {
        /// What is wrong with it.
        reason: String,
    },

    /// A lock file cannot be read as one. Nothing of it is used.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    BadLock {
        /// The lock file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in Unicode scalars, from 1.
        column: usize,
        /// What is wrong there, and what would be right.
        reason: String,
    },

    /// The lock file pins nothing of this name.
    #[error("{} pins nothing named {name:?}; it pins: {known}", path.display())]
    NotPinned {
        /// The lock file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The names that it pins, comma-separated; `nothing` if there is none.
        known: String,
    },

    /// The bytes of a pin are not on this machine.
    #[error("{name:?} ({digest}) is not on this machine: pull it first")]
    NotPulled {
        /// The name in the lock file, or the digest if it was asked for by that.
        name: String,
        /// The digest that it is pinned to.
        digest: Digest,
    },

    /// The bytes are not those that were pinned. They are not used; a pull replaces them in the store.
    #[error(
        "{name}: the bytes have the digest {actual}, not the pinned {expected}: \
         pull again, or pin the new bytes if the change is wanted"
    )]
    WrongDigest {
        /// The name of the pin, or the file.
        name: String,
        /// The pinned digest.
        expected: Digest,
        /// The digest of the bytes that were found.
        actual: Digest,
    },

    /// The store is not one that this version can use.
    #[error("{}: {reason}", path.display())]
    BadStore {
        /// Its folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },

    /// There is no room for a download: on the disk, or below the quota of the store.
    #[error(
        "{}: {} MiB are needed, but {} MiB are left {}: free some, e.g. by removing checkpoints from the store",
        path.display(), mib(*needed), mib(*available), if *quota { "below the quota" } else { "on the disk" }
    )]
    NoSpace {
        /// The folder of the store.
        path: PathBuf,
        /// Bytes that are still to be written.
        needed: u64,
        /// Bytes that may be.
        available: u64,
        /// Whether the quota of the store is the limit, and not the disk.
        quota: bool,
    },

    /// A text does not name a source of bytes.
    #[error("{source_text:?} is no source: {reason}")]
    BadSource {
        /// The text.
        source_text: String,
        /// What is wrong with it, and what forms there are.
        reason: String,
    },

    /// No source gave the bytes. What arrived is kept for the next attempt.
    #[error("{name} could not be pulled: {reason}")]
    PullFailed {
        /// The name of the pin, or the source.
        name: String,
        /// What each source said, in the order in which they were tried.
        reason: String,
    },

    /// A signature is missing, damaged, or not of this key and these bytes.
    #[error("{name}: {reason}")]
    BadSignature {
        /// What was to be checked: a file, or the name of a pin.
        name: String,
        /// What is wrong.
        reason: String,
    },

    /// A prompt file cannot be read as one. Nothing of it is used.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    BadPrompt {
        /// The prompt file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in Unicode scalars, from 1.
        column: usize,
        /// What is wrong there, and what would be right.
        reason: String,
    },

    /// A variable of a prompt is missing, unknown or of another type.
    #[error("{}:{line}: variable {name:?}: {reason}", path.display())]
    BadVariable {
        /// The prompt file.
        path: PathBuf,
        /// The line of the file that declares it, or uses it; from 1.
        line: usize,
        /// The variable, with the path into it: `slots[2].value`.
        name: String,
        /// What is wrong. It does not quote the value.
        reason: String,
    },

    /// A value spells a marker that is ordinary text for the checkpoint, e.g. `[INST]`, so that only its spelling
    /// tells it from the template's own.
    #[error(
        "a value spells {marker:?}, which this chat template writes around messages: \
         refuse the value, or let the prompt neutralize such markers"
    )]
    ForgedMarker {
        /// The marker, as the template writes it.
        marker: String,
    },

    /// A schema, a regular expression or a grammar cannot constrain an output.
    #[error("the output cannot be constrained: {reason}")]
    BadConstraint {
        /// What is wrong with it, and where.
        reason: String,
    },

    /// What the model wrote is not what the prompt declares as its output.
    #[error("the output is not what was declared: {reason}")]
    BadOutput {
        /// What is wrong with it. It does not quote the output.
        reason: String,
        /// What was written until then.
        text: String,
    },

    /// Another server, asked to generate, did not answer as it should.
    #[error("{backend}: {reason}")]
    BackendFailed {
        /// The backend: its address.
        backend: String,
        /// The status of its answer (HTTP), if there was one.
        status: Option<u16>,
        /// What it said, and what to do.
        reason: String,
    },

    /// A chain, or the saved state of one, cannot be used.
    #[error("{}: {reason}", path.display())]
    BadChain {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the step and the line where there is one.
        reason: String,
    },

    /// This build, machine or checkpoint cannot do it.
    #[error("not supported: {what}")]
    Unsupported {
        /// What is missing, and what to do.
        what: String,
    },

    /// The engine failed in a way that should not happen after the checks.
    #[error("the engine failed: {reason}")]
    Engine {
        /// What it said.
        reason: String,
    },
}

impl Error {
    /// An [`Error::Io`] for `path`; made to be used in `map_err`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// A stable name of the variant, for traces and scripts: `bad_variable`, `cancelled`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::BadCheckpoint { .. } => "bad_checkpoint",
            Self::UnknownCheckpoint { .. } => "unknown_checkpoint",
            Self::LoadFailed { .. } => "load_failed",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::ContextFull { .. } => "context_full",
            Self::TooManySessions { .. } => "too_many_sessions",
            Self::SessionBusy => "session_busy",
            Self::SessionEmpty => "empty_prompt",
            Self::Cancelled => "cancelled",
            Self::InvalidOption { .. } => "invalid_option",
            Self::UnknownToken { .. } => "unknown_token",
            Self::NoCandidate { .. } => "no_candidate",
            Self::BadSession { .. } => "bad_session",
            Self::ChatTemplate { .. } => "chat_template",
            Self::BadLock { .. } => "bad_lock",
            Self::NotPinned { .. } => "not_pinned",
            Self::NotPulled { .. } => "not_pulled",
            Self::WrongDigest { .. } => "wrong_digest",
            Self::BadStore { .. } => "bad_store",
            Self::NoSpace { .. } => "no_space",
            Self::BadSource { .. } => "bad_source",
            Self::PullFailed { .. } => "pull_failed",
            Self::BadSignature { .. } => "bad_signature",
            Self::BadPrompt { .. } => "bad_prompt",
            Self::BadVariable { .. } => "bad_variable",
            Self::ForgedMarker { .. } => "forged_marker",
            Self::BadConstraint { .. } => "bad_constraint",
            Self::BadOutput { .. } => "bad_output",
            Self::BackendFailed { .. } => "backend_failed",
            Self::BadChain { .. } => "bad_chain",
            Self::Unsupported { .. } => "unsupported",
            Self::Engine { .. } => "engine",
        }
    }

    pub(crate) fn not_pinned<'a>(path: &Path, name: &str, known: impl Iterator<Item = &'a String>) -> Self {
        let known = known.map(String::as_str).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "nothing".to_owned() } else { known };
        Self::NotPinned { path: path.to_owned(), name: name.to_owned(), known }
    }

    pub(crate) fn option(option: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidOption { option, reason: reason.into() }
    }

    pub(crate) fn engine(reason: impl Into<String>) -> Self {
        Self::Engine { reason: reason.into() }
    }
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
