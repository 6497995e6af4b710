import Foundation

extension Store {
    /// Opens the store in a folder, and makes the folder if it is missing. `Store.open()` opens the user's own.
    ///
    /// - Parameters:
    ///   - url: Its folder.
    ///   - quota: Bytes that its files may take together; by default `PINFOLD_STORE_QUOTA` of the environment, or else
    ///     no limit.
    /// - Throws: ``PinfoldError``: `io`, `badStore` or `invalidOption`.
    public static func open(at url: URL, quota: UInt64? = nil) throws -> Store {
        try open(options: StoreOptions(root: Limits.path(url), quota: quota))
    }

    /// Hashes files, and gives those whose bytes were changed. Blocks.
    ///
    /// - Parameters:
    ///   - digests: Of the files; empty for all.
    ///   - cancel: Ends it early.
    ///   - progress: Called with the bytes that are done and those there are in all, on the thread that works. What it
    ///     throws ends the work, and is thrown here.
    /// - Throws: ``PinfoldError``: `notPulled` for a digest that is not here, `invalidOption` for a text that is none,
    ///   `io` or `cancelled`; or what `progress` threw.
    public func verify(
        _ digests: [String], cancel: Cancel? = nil,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) throws -> Void)? = nil
    ) throws -> [DamagedEntry] {
        try Limits.check("digests", digests)
        return try Watch.over(Self.heard(progress)) { watch in
            try verify(digests: digests, progress: watch, cancel: cancel)
        }
    }

    /// Hashes files, and gives those whose bytes were changed, on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameters:
    ///   - digests: Of the files; empty for all.
    ///   - progress: Called with the bytes that are done and those there are in all, on the thread that works. What it
    ///     throws ends the work, and is thrown here.
    /// - Throws: ``PinfoldError``: `notPulled` for a digest that is not here, `invalidOption` for a text that is none,
    ///   or `io`; `CancellationError`; or what `progress` threw.
    public func verify(
        _ digests: [String] = [], progress: (@Sendable (_ done: UInt64, _ total: UInt64) throws -> Void)? = nil
    ) async throws -> [DamagedEntry] {
        try await OffPool.cancellable { cancel in
            try self.verify(digests, cancel: cancel, progress: progress)
        }
    }

    /// Copies a file into the store and gives its digest. Blocks.
    ///
    /// - Parameters:
    ///   - url: The file.
    ///   - expectedDigest: Other bytes are refused; nothing to take any.
    ///   - cancel: Ends it early.
    ///   - progress: Called with the bytes that are done and those there are in all, on the thread that works. What it
    ///     throws ends the work, and is thrown here.
    /// - Throws: ``PinfoldError``: `io`, `wrongDigest`, `noSpace`, `invalidOption` for a text that is no digest, or
    ///   `cancelled`; or what `progress` threw.
    @discardableResult
    public func importFile(
        at url: URL, expectedDigest: String? = nil, cancel: Cancel? = nil,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) throws -> Void)? = nil
    ) throws -> String {
        let path = try Limits.path(url)
        try Limits.check("expectedDigest", expectedDigest ?? "")
        return try Watch.over(Self.heard(progress)) { watch in
            try importFile(path: path, expectedDigest: expectedDigest, progress: watch, cancel: cancel)
        }
    }

    /// Copies a file into the store and gives its digest, on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameters:
    ///   - url: The file.
    ///   - expectedDigest: Other bytes are refused; nothing to take any.
    ///   - progress: Called with the bytes that are done and those there are in all, on the thread that works. What it
    ///     throws ends the work, and is thrown here.
    /// - Throws: ``PinfoldError``: `io`, `wrongDigest`, `noSpace`, or `invalidOption` for a text that is no digest;
    ///   `CancellationError`; or what `progress` threw.
    @discardableResult
    public func importFile(
        at url: URL, expectedDigest: String? = nil,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) throws -> Void)? = nil
    ) async throws -> String {
        try await OffPool.cancellable { cancel in
            try self.importFile(at: url, expectedDigest: expectedDigest, cancel: cancel, progress: progress)
        }
    }

    /// Removes what no known lock file pins, and what is left of downloads that nobody continues, on a thread of its
    /// own. Known are the lock files that were pulled here.
    ///
    /// - Parameter dryRun: Whether it only says what it would remove.
    /// - Throws: ``PinfoldError``: `io`, or `badLock` of a known lock file: what it pins is not known then, and nothing
    ///   is removed.
    public func collect(dryRun: Bool = false) async throws -> Collected {
        try await OffPool.run { try self.collect(dryRun: dryRun) }
    }

    private static func heard(
        _ progress: (@Sendable (UInt64, UInt64) throws -> Void)?
    ) -> (@Sendable (Processed) throws -> Void)? {
        progress.map { tell in { @Sendable (now: Processed) in try tell(now.done, now.total) } }
    }
}

extension StoreEntry {
    /// Where it is.
    public var url: URL { URL(fileURLWithPath: path) }
}
