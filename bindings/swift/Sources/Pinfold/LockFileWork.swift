// The long work with a lock file, each in a blocking and an asynchronous form.

extension LockFile {
    /// Brings the bytes of a checkpoint or an adapter into the store, unless they are there. Blocks.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where they go.
    ///   - options: How they are downloaded.
    ///   - cancel: Ends it early. What arrived is kept for the next attempt.
    ///   - progress: Called with the source, the bytes that are here and those there are in all (0 as long as that is
    ///     not known), on the thread that pulls. What it throws ends the pull, and is thrown here.
    /// - Throws: ``PinfoldError``: `notPinned`, `pullFailed`, `noSpace`, `invalidOption`, `io` or `cancelled`; or what
    ///   `progress` threw.
    @discardableResult
    public func pull(
        _ name: String, into store: Store, options: PullOptions = PullOptions(), cancel: Cancel? = nil,
        progress: (@Sendable (_ source: String, _ done: UInt64, _ total: UInt64) throws -> Void)? = nil
    ) throws -> PinnedFile {
        try Limits.check("name", name)
        let texts = [options.hubEndpoint, options.hubToken, options.certificates]
        try Limits.check("options", texts.compactMap { $0 })
        let heard = progress.map { tell in { @Sendable (now: Pulled) in try tell(now.source, now.done, now.total) } }
        return try Watch.over(heard) { watch in
            try pull(name: name, store: store, options: options, progress: watch, cancel: cancel)
        }
    }

    /// Brings the bytes of a checkpoint or an adapter into the store, unless they are there, on a thread of its own.
    /// Cancelling the task stops it, even while nothing arrives; what arrived is kept for the next attempt.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where they go.
    ///   - options: How they are downloaded.
    ///   - progress: Called with the source, the bytes that are here and those there are in all (0 as long as that is
    ///     not known), on the thread that pulls. What it throws ends the pull, and is thrown here.
    /// - Throws: ``PinfoldError``: `notPinned`, `pullFailed`, `noSpace`, `invalidOption` or `io`; `CancellationError`;
    ///   or what `progress` threw.
    @discardableResult
    public func pull(
        _ name: String, into store: Store, options: PullOptions = PullOptions(),
        progress: (@Sendable (_ source: String, _ done: UInt64, _ total: UInt64) throws -> Void)? = nil
    ) async throws -> PinnedFile {
        try await OffPool.cancellable { cancel in
            try self.pull(name, into: store, options: options, cancel: cancel, progress: progress)
        }
    }

    /// Loads a checkpoint: resolves its name, and opens exactly those bytes. Blocks.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where it was pulled to.
    ///   - options: How it is loaded.
    ///   - cancel: Ends it early.
    ///   - progress: Called with the share that is loaded, 0 to 1, on the thread that loads. What it throws ends the
    ///     load, and is thrown here.
    /// - Throws: What `resolve` and ``Model/load(contentsOf:options:progress:)`` throw, but ``PinfoldError``:
    ///   `cancelled` instead of a `CancellationError`.
    public func load(
        _ name: String, from store: Store, options: ModelOptions = ModelOptions(), cancel: Cancel? = nil,
        progress: (@Sendable (Float) throws -> Void)? = nil
    ) throws -> Model {
        try Limits.check("name", name)
        return try Watch.over(progress) { watch in
            try load(name: name, store: store, options: options, progress: watch, cancel: cancel)
        }
    }

    /// Loads a checkpoint, on a thread of its own: resolves its name, and opens exactly those bytes. Cancelling the
    /// task stops it.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where it was pulled to.
    ///   - options: How it is loaded.
    ///   - progress: Called with the share that is loaded, 0 to 1, on the thread that loads. What it throws ends the
    ///     load, and is thrown here.
    /// - Throws: What `resolve` and ``Model/load(contentsOf:options:progress:)`` throw.
    public func load(
        _ name: String, from store: Store, options: ModelOptions = ModelOptions(),
        progress: (@Sendable (Float) throws -> Void)? = nil
    ) async throws -> Model {
        try await OffPool.cancellable { cancel in
            try self.load(name, from: store, options: options, cancel: cancel, progress: progress)
        }
    }

    /// Checks the files, and replays the goldens. Blocks.
    ///
    /// - Parameters:
    ///   - store: Where the files were pulled to.
    ///   - options: What is verified, and how strictly.
    ///   - cancel: Ends it early.
    ///   - progress: Called with what is looked at (empty once all is done), the number of things that are done and of
    ///     those there are, on the thread that verifies. What it throws ends the verification, and is thrown here.
    /// - Returns: What is as pinned and what is not: a wrong pin is no error.
    /// - Throws: ``PinfoldError``: `notPinned` for an unknown name, `invalidOption` or `cancelled`; or what `progress`
    ///   threw.
    public func verify(
        in store: Store, options: VerifyOptions = VerifyOptions(), cancel: Cancel? = nil,
        progress: (@Sendable (_ subject: String, _ done: UInt32, _ total: UInt32) throws -> Void)? = nil
    ) throws -> VerifyReport {
        try Limits.check("names", options.names)
        let heard = progress.map { tell in { @Sendable (now: Verified) in try tell(now.subject, now.done, now.total) } }
        return try Watch.over(heard) { watch in
            try verify(store: store, options: options, progress: watch, cancel: cancel)
        }
    }

    /// Checks the files, and replays the goldens, on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameters:
    ///   - store: Where the files were pulled to.
    ///   - options: What is verified, and how strictly.
    ///   - progress: Called with what is looked at (empty once all is done), the number of things that are done and of
    ///     those there are, on the thread that verifies. What it throws ends the verification, and is thrown here.
    /// - Returns: What is as pinned and what is not: a wrong pin is no error.
    /// - Throws: ``PinfoldError``: `notPinned` for an unknown name, or `invalidOption`; `CancellationError`; or what
    ///   `progress` threw.
    public func verify(
        in store: Store, options: VerifyOptions = VerifyOptions(),
        progress: (@Sendable (_ subject: String, _ done: UInt32, _ total: UInt32) throws -> Void)? = nil
    ) async throws -> VerifyReport {
        try await OffPool.cancellable { cancel in
            try self.verify(in: store, options: options, cancel: cancel, progress: progress)
        }
    }
}

// The token is a secret: whatever prints the options leaves it out.
extension PullOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// All but the Hub's access token.
    public var description: String {
        let shown = customMirror.children.map { "\($0.label ?? ""): \($0.value)" }
        return "PullOptions(\(shown.joined(separator: ", ")))"
    }

    /// All but the Hub's access token.
    public var debugDescription: String { description }

    /// All but the Hub's access token.
    public var customMirror: Mirror {
        let shown: KeyValuePairs<String, Any> = [
            "connections": connections, "attempts": attempts, "hubEndpoint": hubEndpoint as Any,
            "hubToken": hubToken == nil ? "nil" : "***", "certificates": certificates as Any,
            "stallTimeoutMs": stallTimeoutMs,
        ]
        return Mirror(self, children: shown, displayStyle: .struct)
    }
}
