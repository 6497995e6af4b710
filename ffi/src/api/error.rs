//! The errors of the foreign API: a variant for each that a caller can act on, with core's message.

/// Why a call failed. The message says what is wrong and what to do; it never holds text of the user.
///
/// Each variant is an exception class of its own in Python, Swift and Kotlin, and a status in C (`status`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
pub enum PinfoldError {
    /// A file could not be read or written.
    #[error("{0}")]
    Io(String),
    /// The checkpoint's bytes would not run safely: the preflight refused them.
    #[error("{0}")]
    BadCheckpoint(String),
    /// No embedded checkpoint has this name.
    #[error("{0}")]
    UnknownCheckpoint(String),
    /// The checkpoint passed the preflight, but the engine could not load it.
    #[error("{0}")]
    LoadFailed(String),
    /// The checkpoint does not fit into the memory that is free.
    #[error("{0}")]
    OutOfMemory(String),
    /// The context has no room for the tokens. Nothing was added.
    #[error("{0}")]
    ContextFull(String),
    /// All sessions of the model are in use.
    #[error("{0}")]
    TooManySessions(String),
    /// The session is generating; its stream must end or be dropped first.
    #[error("{0}")]
    SessionBusy(String),
    /// There is nothing to continue: the session holds no token.
    #[error("{0}")]
    SessionEmpty(String),
    /// The work was cancelled.
    #[error("{0}")]
    Cancelled(String),
    /// An option or an argument is out of its range.
    #[error("{0}")]
    InvalidOption(String),
    /// A token id is not in the vocabulary.
    #[error("{0}")]
    UnknownToken(String),
    /// The sampler cannot choose: no candidate is left, or the logits are not numbers.
    #[error("{0}")]
    NoCandidate(String),
    /// A saved session cannot be restored here.
    #[error("{0}")]
    BadSession(String),
    /// The checkpoint has no chat template, or it failed.
    #[error("{0}")]
    ChatTemplate(String),
    /// This build, machine or checkpoint cannot do it.
    #[error("{0}")]
    Unsupported(String),
    /// The engine failed in a way that should not happen after the checks.
    #[error("{0}")]
    Engine(String),
    /// A text is not Unicode: UTF-8 in C, or without lone surrogates in Swift and Kotlin.
    #[error("{0}")]
    InvalidText(String),
    /// A function that the app gave failed.
    #[error("{0}")]
    Callback(String),
    /// A lock file cannot be read as one; the message begins with its path, the line and the column.
    #[error("{0}")]
    BadLock(String),
    /// The lock file pins nothing of this name.
    #[error("{0}")]
    NotPinned(String),
    /// The bytes of a pin are not on this machine.
    #[error("{0}")]
    NotPulled(String),
    /// The bytes are not those that were pinned. They are not used.
    #[error("{0}")]
    WrongDigest(String),
    /// The store is not one that this version can use.
    #[error("{0}")]
    BadStore(String),
    /// There is no room for a download: on the disk, or below the quota of the store.
    #[error("{0}")]
    NoSpace(String),
    /// A text does not name a source of bytes.
    #[error("{0}")]
    BadSource(String),
    /// No source gave the bytes. What arrived is kept for the next attempt.
    #[error("{0}")]
    PullFailed(String),
    /// A signature is missing, damaged, or not of this key and these bytes.
    #[error("{0}")]
    BadSignature(String),
}

impl PinfoldError {
    /// The name of the variant, as all languages spell it: in snake case. Names never change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::BadCheckpoint(_) => "bad_checkpoint",
            Self::UnknownCheckpoint(_) => "unknown_checkpoint",
            Self::LoadFailed(_) => "load_failed",
            Self::OutOfMemory(_) => "out_of_memory",
            Self::ContextFull(_) => "context_full",
            Self::TooManySessions(_) => "too_many_sessions",
            Self::SessionBusy(_) => "session_busy",
            Self::SessionEmpty(_) => "session_empty",
            Self::Cancelled(_) => "cancelled",
            Self::InvalidOption(_) => "invalid_option",
            Self::UnknownToken(_) => "unknown_token",
            Self::NoCandidate(_) => "no_candidate",
            Self::BadSession(_) => "bad_session",
            Self::ChatTemplate(_) => "chat_template",
            Self::Unsupported(_) => "unsupported",
            Self::Engine(_) => "engine",
            Self::InvalidText(_) => "invalid_text",
            Self::Callback(_) => "callback",
            Self::BadLock(_) => "bad_lock",
            Self::NotPinned(_) => "not_pinned",
            Self::NotPulled(_) => "not_pulled",
            Self::WrongDigest(_) => "wrong_digest",
            Self::BadStore(_) => "bad_store",
            Self::NoSpace(_) => "no_space",
            Self::BadSource(_) => "bad_source",
            Self::PullFailed(_) => "pull_failed",
            Self::BadSignature(_) => "bad_signature",
        }
    }

    /// The number of the variant: the C ABI's status. Numbers never change; new variants get new ones.
    pub fn status(&self) -> i32 {
        match self {
            Self::Io(_) => 1,
            Self::BadCheckpoint(_) => 2,
            Self::UnknownCheckpoint(_) => 3,
            Self::LoadFailed(_) => 4,
            Self::OutOfMemory(_) => 5,
            Self::ContextFull(_) => 6,
            Self::TooManySessions(_) => 7,
            Self::SessionBusy(_) => 8,
            Self::SessionEmpty(_) => 9,
            Self::Cancelled(_) => 10,
            Self::InvalidOption(_) => 11,
            Self::UnknownToken(_) => 12,
            Self::NoCandidate(_) => 13,
            Self::BadSession(_) => 14,
            Self::ChatTemplate(_) => 15,
            Self::Unsupported(_) => 16,
            Self::Engine(_) => 17,
            Self::InvalidText(_) => 18,
            Self::Callback(_) => 19,
            Self::BadLock(_) => 20,
            Self::NotPinned(_) => 21,
            Self::NotPulled(_) => 22,
            Self::WrongDigest(_) => 23,
            Self::BadStore(_) => 24,
            Self::NoSpace(_) => 25,
            Self::BadSource(_) => 26,
            Self::PullFailed(_) => 27,
            Self::BadSignature(_) => 28,
        }
    }
}

impl From<pinfold::Error> for PinfoldError {
    fn from(error: pinfold::Error) -> Self {
        use pinfold::Error;
        let message = error.to_string();
        match error {
            Error::Io { .. } => Self::Io(message),
            Error::BadCheckpoint { .. } => Self::BadCheckpoint(message),
            Error::UnknownCheckpoint { .. } => Self::UnknownCheckpoint(message),
            Error::LoadFailed { .. } => Self::LoadFailed(message),
            Error::OutOfMemory { .. } => Self::OutOfMemory(message),
            Error::ContextFull { .. } => Self::ContextFull(message),
            Error::TooManySessions { .. } => Self::TooManySessions(message),
            Error::SessionBusy => Self::SessionBusy(message),
            Error::SessionEmpty => Self::SessionEmpty(message),
            Error::Cancelled => Self::Cancelled(message),
            Error::InvalidOption { .. } => Self::InvalidOption(message),
            Error::UnknownToken { .. } => Self::UnknownToken(message),
            Error::NoCandidate { .. } => Self::NoCandidate(message),
            Error::BadSession { .. } => Self::BadSession(message),
            Error::ChatTemplate { .. } => Self::ChatTemplate(message),
            Error::BadLock { .. } => Self::BadLock(message),
            Error::NotPinned { .. } => Self::NotPinned(message),
            Error::NotPulled { .. } => Self::NotPulled(message),
            Error::WrongDigest { .. } => Self::WrongDigest(message),
            Error::BadStore { .. } => Self::BadStore(message),
            Error::NoSpace { .. } => Self::NoSpace(message),
            Error::BadSource { .. } => Self::BadSource(message),
            Error::PullFailed { .. } => Self::PullFailed(message),
            Error::BadSignature { .. } => Self::BadSignature(message),
            Error::Unsupported { .. } => Self::Unsupported(message),
            // Core's error may grow; what has no variant here yet is the engine's.
            _ => Self::Engine(message),
        }
    }
}

/// What a function of the app may throw; which of the app's errors it was stays with the app. Not a flat error: an
/// app may throw it, and UniFFI cannot take flat errors in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// It failed.
    #[error("the app's function failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}
