import Foundation

extension Model {
    /// Loads a checkpoint that is compiled into the library; ``embeddedCheckpoints()`` lists them. Blocks: it takes
    /// a fraction of a second.
    ///
    /// - Throws: ``PinfoldError``: `unknownCheckpoint`, `outOfMemory` or `invalidOption`.
    public static func embedded(_ name: String, options: ModelOptions = ModelOptions()) throws -> Model {
        try loadEmbedded(name: name, options: options)
    }

    /// Loads a checkpoint that is compiled into the library, on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameters:
    ///   - name: Its name; ``embeddedCheckpoints()`` lists them.
    ///   - options: How it is loaded.
    ///   - progress: Called with the share that is loaded, 0 to 1, on the thread that loads. What it throws ends the
    ///     load, and is thrown here.
    /// - Throws: ``PinfoldError``, `CancellationError`, or what `progress` threw.
    public static func load(
        embedded name: String, options: ModelOptions = ModelOptions(),
        progress: (@Sendable (Float) throws -> Void)? = nil
    ) async throws -> Model {
        try await watched(progress) { progress, cancel in
            try loadEmbedded(name: name, options: options, progress: progress, cancel: cancel)
        }
    }

    /// Loads the GGUF checkpoint of a file, on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameters:
    ///   - url: A file. It must not change while the model is in use.
    ///   - options: How it is loaded.
    ///   - progress: Called with the share that is loaded, 0 to 1, on the thread that loads. What it throws ends the
    ///     load, and is thrown here.
    /// - Throws: ``PinfoldError``: `io`, `badCheckpoint`, `outOfMemory`, `unsupported` (a pure encoder), `loadFailed`
    ///   or `invalidOption`; `CancellationError`; or what `progress` threw.
    public static func load(
        contentsOf url: URL, options: ModelOptions = ModelOptions(),
        progress: (@Sendable (Float) throws -> Void)? = nil
    ) async throws -> Model {
        let path = try Limits.path(url)
        return try await watched(progress) { progress, cancel in
            try load(path: path, options: options, progress: progress, cancel: cancel)
        }
    }

    /// Loads a GGUF checkpoint that is in memory, on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameters:
    ///   - bytes: The whole file, at most 2 GiB; they are not needed after the load.
    ///   - name: Stands in errors.
    ///   - options: How it is loaded.
    ///   - progress: Called with the share that is loaded, 0 to 1, on the thread that loads. What it throws ends the
    ///     load, and is thrown here.
    /// - Throws: The same as ``load(contentsOf:options:progress:)``.
    public static func load(
        bytes: Data, named name: String = "memory", options: ModelOptions = ModelOptions(),
        progress: (@Sendable (Float) throws -> Void)? = nil
    ) async throws -> Model {
        try Limits.check("bytes", bytes.count)
        return try await watched(progress) { progress, cancel in
            try loadBytes(name: name, bytes: bytes, options: options, progress: progress, cancel: cancel)
        }
    }

    private static func watched(
        _ progress: (@Sendable (Float) throws -> Void)?,
        _ load: @escaping @Sendable (LoadProgress?, Cancel) throws -> Model
    ) async throws -> Model {
        try await OffPool.cancellable { cancel in
            try Watch.over(progress) { watch in try load(watch, cancel) }
        }
    }
}
