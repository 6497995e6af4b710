import Dispatch

/// Pulls the pieces of one generation on a queue of its own.
///
/// `AsyncThrowingStream` holds it alone: when that is dropped, this is, and with it the generation.
final class Pull: @unchecked Sendable {
    private let queue = OffPool.queue()
    private let cancel = Cancel()

    // Only touched on the queue.
    private var start: (() throws -> Stream)?
    private var stream: Stream?
    private var onFinish: (@Sendable (Finish) -> Void)?

    init(_ session: Session, _ options: GenerateOptions, _ onFinish: (@Sendable (Finish) -> Void)?) {
        start = { [cancel] in try session.generate(options: options, cancel: cancel) }
        self.onFinish = onFinish
    }

    /// The next piece; nothing at the end, and soon after the task is cancelled.
    func next() async throws -> Chunk? {
        try await withTaskCancellationHandler {
            try await OffPool.run(on: queue) { try self.pull() }
        } onCancel: {
            cancel.cancel()
        }
    }

    private func pull() throws -> Chunk? {
        do {
            if let start {
                self.start = nil
                stream = try start()
            }
            if let chunk = try stream?.next() {
                return chunk
            }
        } catch {
            stream = nil
            throw error
        }
        // A cancellation between two pieces ends the loop without coming here, so none is told of.
        if let finish = stream?.finish(), finish.reason != .cancelled {
            onFinish?(finish)
        }
        stream = nil
        onFinish = nil
        return nil
    }
}
