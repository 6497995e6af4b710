import Foundation

extension LockFile {
    /// Reads a lock file.
    ///
    /// - Throws: ``PinfoldError``: `io`, or `badLock`, whose message begins with the path, the line and the column.
    public static func open(contentsOf url: URL) throws -> LockFile {
        try open(path: Limits.path(url))
    }

    /// Reads a lock file that must be signed: its minisign signature lies beside it, with `.minisig` at the end of the
    /// name.
    ///
    /// - Parameters:
    ///   - url: The file.
    ///   - publicKey: The key that the app embeds: its base64, or the text of the `.pub` file.
    /// - Throws: ``PinfoldError``: `io`, `badSignature`, also if there is none, or `badLock`.
    public static func open(contentsOf url: URL, publicKey: String) throws -> LockFile {
        let path = try Limits.path(url)
        try Limits.check("publicKey", publicKey)
        return try openSigned(path: path, publicKey: publicKey)
    }

    /// Reads a lock file that is in memory, e.g. a resource of the app.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - path: Stands in errors; `file:` sources are relative to its folder.
    /// - Throws: ``PinfoldError``: `badLock`.
    public static func open(bytes: Data, path: String = "pinfold.lock") throws -> LockFile {
        try Limits.check("bytes", bytes.count)
        try Limits.check("path", path)
        return try openBytes(path: path, bytes: bytes)
    }

    /// Reads the nearest `pinfold.lock`: in a folder, or else in the nearest folder around it that has one.
    ///
    /// - Throws: ``PinfoldError``: `io` if there is none, or `badLock`.
    public static func find(in folder: URL) throws -> LockFile {
        try find(folder: Limits.path(folder))
    }

    /// The settings of the sampler of this name.
    ///
    ///     let options = GenerateOptions(sampling: try lock.sampling("careful"))
    ///
    /// - Throws: ``PinfoldError``: `notPinned`.
    public func sampling(_ name: String) throws -> Sampling {
        try Limits.check("name", name)
        return try sampling(name: name)
    }

    /// A file with exactly the bytes that a checkpoint or an adapter is pinned to: of the store, or else of a `file:`
    /// source. Nothing is downloaded. Blocks while the file is hashed.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where it was pulled to.
    ///   - fullCheck: Whether the file is hashed even if it was before and was not touched since.
    /// - Throws: ``PinfoldError``: `notPinned`, `notPulled`, `wrongDigest`, `badLock` if the pinned size is wrong, or
    ///   `io`.
    public func resolve(_ name: String, in store: Store, fullCheck: Bool = false) throws -> PinnedFile {
        try Limits.check("name", name)
        return try resolve(name: name, store: store, fullCheck: fullCheck)
    }

    /// A file with exactly the bytes that a checkpoint or an adapter is pinned to: of the store, or else of a `file:`
    /// source. Nothing is downloaded. It is hashed on a thread of its own.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where it was pulled to.
    ///   - fullCheck: Whether the file is hashed even if it was before and was not touched since.
    /// - Throws: ``PinfoldError``: `notPinned`, `notPulled`, `wrongDigest`, `badLock` if the pinned size is wrong, or
    ///   `io`.
    public func resolve(_ name: String, in store: Store, fullCheck: Bool = false) async throws -> PinnedFile {
        try await OffPool.run { try self.resolve(name, in: store, fullCheck: fullCheck) }
    }

    /// Checks that the bytes of a checkpoint or an adapter are signed, with the minisign signature that the lock file
    /// carries. Blocks while they are hashed.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where it was pulled to.
    ///   - publicKey: The key that the app embeds: its base64, or the text of the `.pub` file.
    /// - Throws: ``PinfoldError``: `badSignature`, also if there is none, and what `resolve`
    ///   throws.
    public func checkSignature(of name: String, in store: Store, publicKey: String) throws {
        try Limits.check("name", name)
        try Limits.check("publicKey", publicKey)
        try checkSignature(name: name, store: store, publicKey: publicKey)
    }

    /// Checks that the bytes of a checkpoint or an adapter are signed, with the minisign signature that the lock file
    /// carries, on a thread of its own.
    ///
    /// - Parameters:
    ///   - name: Its name in the lock file.
    ///   - store: Where it was pulled to.
    ///   - publicKey: The key that the app embeds: its base64, or the text of the `.pub` file.
    /// - Throws: ``PinfoldError``: `badSignature`, also if there is none, and what `resolve`
    ///   throws.
    public func checkSignature(of name: String, in store: Store, publicKey: String) async throws {
        try await OffPool.run { try self.checkSignature(of: name, in: store, publicKey: publicKey) }
    }
}

extension PinnedFile {
    /// Where it is.
    public var url: URL { URL(fileURLWithPath: path) }
}
