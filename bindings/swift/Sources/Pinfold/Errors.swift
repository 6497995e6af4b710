// What an app sees of a failure.

extension PinfoldError {
    /// Which error it is. The raw value is the name that all of Pinfold's languages share.
    public enum Code: String, Sendable, CaseIterable, CustomStringConvertible {
        /// A file could not be read or written.
        case io
        /// The checkpoint's bytes would not run safely: the preflight refused them.
        case badCheckpoint = "bad_checkpoint"
        /// No embedded checkpoint has this name.
        case unknownCheckpoint = "unknown_checkpoint"
        /// The checkpoint passed the preflight, but the engine could not load it.
        case loadFailed = "load_failed"
        /// The checkpoint does not fit into the memory that is free.
        case outOfMemory = "out_of_memory"
        /// The context has no room for the tokens. Nothing was added.
        case contextFull = "context_full"
        /// All sessions of the model are in use.
        case tooManySessions = "too_many_sessions"
        /// The session is generating; its stream must end or be dropped first.
        case sessionBusy = "session_busy"
        /// There is nothing to continue: the session holds no token.
        case sessionEmpty = "session_empty"
        /// The work was cancelled through a ``Cancel``. A cancelled task gets Swift's `CancellationError` instead.
        case cancelled
        /// An option or an argument is out of its range.
        case invalidOption = "invalid_option"
        /// A token id is not in the vocabulary.
        case unknownToken = "unknown_token"
        /// The sampler cannot choose: no candidate is left, or the logits are not numbers.
        case noCandidate = "no_candidate"
        /// A saved session cannot be restored here.
        case badSession = "bad_session"
        /// The checkpoint has no chat template, or it failed.
        case chatTemplate = "chat_template"
        /// This build, machine or checkpoint cannot do it.
        case unsupported
        /// The engine failed in a way that should not happen after the checks.
        case engine
        /// A text is not Unicode. Swift's own strings always are.
        case invalidText = "invalid_text"
        /// A function that the app gave failed.
        case callback
        /// A lock file cannot be read as one. The message begins with its path, the line and the column.
        case badLock = "bad_lock"
        /// The lock file pins nothing of this name.
        case notPinned = "not_pinned"
        /// The pinned bytes are not on this machine: pull them first.
        case notPulled = "not_pulled"
        /// The bytes are not those that were pinned. They are not used.
        case wrongDigest = "wrong_digest"
        /// The store is not one that this version can use.
        case badStore = "bad_store"
        /// The disk or the store's quota has no room for the bytes.
        case noSpace = "no_space"
        /// A text does not name a source of bytes.
        case badSource = "bad_source"
        /// No source gave the bytes. What arrived is kept for the next attempt.
        case pullFailed = "pull_failed"
        /// A signature is missing, damaged, or not of this key and these bytes.
        case badSignature = "bad_signature"

        /// The raw value.
        public var description: String { rawValue }
    }

    /// Which error it is.
    public var code: Code { parts.code }

    /// What is wrong and what to do, in English. It never holds text of the user.
    public var message: String { parts.message }

    private var parts: (code: Code, message: String) {
        switch self {
        case .Io(let message): (.io, message)
        case .BadCheckpoint(let message): (.badCheckpoint, message)
        case .UnknownCheckpoint(let message): (.unknownCheckpoint, message)
        case .LoadFailed(let message): (.loadFailed, message)
        case .OutOfMemory(let message): (.outOfMemory, message)
        case .ContextFull(let message): (.contextFull, message)
        case .TooManySessions(let message): (.tooManySessions, message)
        case .SessionBusy(let message): (.sessionBusy, message)
        case .SessionEmpty(let message): (.sessionEmpty, message)
        case .Cancelled(let message): (.cancelled, message)
        case .InvalidOption(let message): (.invalidOption, message)
        case .UnknownToken(let message): (.unknownToken, message)
        case .NoCandidate(let message): (.noCandidate, message)
        case .BadSession(let message): (.badSession, message)
        case .ChatTemplate(let message): (.chatTemplate, message)
        case .Unsupported(let message): (.unsupported, message)
        case .Engine(let message): (.engine, message)
        case .InvalidText(let message): (.invalidText, message)
        case .Callback(let message): (.callback, message)
        case .BadLock(let message): (.badLock, message)
        case .NotPinned(let message): (.notPinned, message)
        case .NotPulled(let message): (.notPulled, message)
        case .WrongDigest(let message): (.wrongDigest, message)
        case .BadStore(let message): (.badStore, message)
        case .NoSpace(let message): (.noSpace, message)
        case .BadSource(let message): (.badSource, message)
        case .PullFailed(let message): (.pullFailed, message)
        case .BadSignature(let message): (.badSignature, message)
        }
    }
}

extension PinfoldError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}

extension PinfoldError: CustomDebugStringConvertible {
    /// The message alone: UniFFI's `errorDescription`, and so `localizedDescription`, is made of this one.
    public var debugDescription: String { message }
}
