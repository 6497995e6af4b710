/// A whole generation.
public struct Completion: Sendable, Equatable, Hashable {
    /// The text.
    public var text: String
    /// The tokens.
    public var tokens: [GeneratedToken]
    /// How it ended.
    public var finish: Finish

    /// A completion made by hand, e.g. for tests of an app.
    public init(text: String, tokens: [GeneratedToken], finish: Finish) {
        self.text = text
        self.tokens = tokens
        self.finish = finish
    }
}

// For synchronous code, and for threads of the app's own.
extension Stream: Sequence {
    /// The pieces; getting the next one blocks. A failure is the last element, as iterators of Swift cannot throw.
    ///
    ///     for piece in try session.generate() {
    ///         print(try piece.get().text, terminator: "")
    ///     }
    public func makeIterator() -> AnyIterator<Result<Chunk, Error>> {
        AnyIterator {
            do {
                return try self.next().map(Result.success)
            } catch {
                return .failure(error)
            }
        }
    }

    /// Reads to the end. Blocks.
    ///
    /// - Throws: ``PinfoldError``. What came before an error is lost, so read piece by piece to keep it.
    public func complete() throws -> Completion {
        var text = ""
        var tokens: [GeneratedToken] = []
        while let chunk = try next() {
            text += chunk.text
            tokens += chunk.tokens
        }
        guard let finish = finish() else {
            throw PinfoldError.Engine(message: "a stream ended without a reason")
        }
        return Completion(text: text, tokens: tokens, finish: finish)
    }
}

extension Session {
    /// Generates to the end. Blocks.
    ///
    /// - Parameters:
    ///   - options: What to generate, and when to stop.
    ///   - cancel: Ends it early: the completion then holds what came by then, and its reason is `cancelled`.
    /// - Throws: ``PinfoldError``. What came before an error is lost; use ``generate(options:cancel:)`` to keep it.
    public func complete(_ options: GenerateOptions = GenerateOptions(), cancel: Cancel? = nil) throws -> Completion {
        try generate(options: options, cancel: cancel).complete()
    }

    /// Generates to the end, on a thread of its own. Cancelling the task stops it; the session then holds what it held
    /// before.
    ///
    /// - Parameter options: What to generate, and when to stop.
    /// - Throws: ``PinfoldError`` or `CancellationError`. What came before an error is lost; use
    ///   ``stream(_:onFinish:)`` to keep it.
    public func complete(_ options: GenerateOptions = GenerateOptions()) async throws -> Completion {
        try await OffPool.cancellable { cancel in
            let held = try self.tokens().count
            let completion = try self.complete(options, cancel: cancel)
            if completion.finish.reason == .cancelled {
                // Nobody got the text, so nobody knows what the session would hold.
                try self.rewind(length: UInt32(held))
                throw PinfoldError.Cancelled(message: "the task was cancelled")
            }
            return completion
        }
    }

    /// Generates, piece by piece.
    ///
    ///     for try await chunk in session.stream() {
    ///         print(chunk.text, terminator: "")
    ///     }
    ///
    /// Nothing runs before the first piece is asked for. The engine then computes ahead, by at most 64 pieces, on a
    /// thread of its own; waiting for a piece blocks no thread of Swift's pool. A reader that is slower than the engine
    /// gets several pieces joined into one.
    ///
    /// Cancelling the task ends the loop, without an error. Leaving the loop early stops the generation as soon as the
    /// stream's value is gone: at once if only the loop had it. In either case the session holds what the loop got and
    /// no more, and can be used again.
    ///
    /// - Parameters:
    ///   - options: What to generate, and when to stop.
    ///   - onFinish: Called once when the generation comes to its end, before the loop ends, on a thread of Pinfold; not
    ///     called after an error or a cancellation, or when the loop is left early.
    /// - Returns: A stream for one reader. It throws ``PinfoldError``: `invalidOption`, `sessionEmpty` or `sessionBusy`
    ///   at the first piece, `contextFull` after the text that came before.
    public func stream(
        _ options: GenerateOptions = GenerateOptions(), onFinish: (@Sendable (Finish) -> Void)? = nil
    ) -> AsyncThrowingStream<Chunk, Error> {
        let pull = Pull(self, options, onFinish)
        return AsyncThrowingStream { try await pull.next() }
    }
}
