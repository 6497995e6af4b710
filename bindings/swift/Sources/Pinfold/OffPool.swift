import Dispatch

/// Blocking work on a thread of its own.
///
/// Swift's cooperative pool has one thread for each processor; a call that blocks there stops other tasks. A serial
/// queue gets a thread at once, whatever else blocks; a concurrent one starts with one for each processor.
enum OffPool {
    static func queue() -> DispatchQueue { DispatchQueue(label: "pinfold") }

    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run(on: queue(), work)
    }

    static func run<Value: Sendable>(
        on queue: DispatchQueue, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let job = Job(work)
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: job.run()) }
        }
    }

    /// Work that the cancellation of the task stops, with a `CancellationError`.
    static func cancellable<Value: Sendable>(
        _ work: @escaping @Sendable (Cancel) throws -> Value
    ) async throws -> Value {
        let cancel = Cancel()
        do {
            return try await withTaskCancellationHandler {
                try await run { try work(cancel) }
            } onCancel: {
                cancel.cancel()
            }
        } catch PinfoldError.Cancelled where cancel.isCancelled() {
            // The task's own cancellation: nobody else has the flag, but the app's closure may throw this error too.
            throw CancellationError()
        }
    }
}

/// Work that is let go of before its result is told. The block on the queue lives a little longer, and what it held
/// would too: a session or a stream that the app has just dropped.
private final class Job<Value: Sendable>: @unchecked Sendable {
    private var work: (@Sendable () throws -> Value)?

    init(_ work: @escaping @Sendable () throws -> Value) {
        self.work = work
    }

    func run() -> Result<Value, Error> {
        defer { work = nil }
        return Result { [work] in
            guard let work else { throw CancellationError() }
            return try work()
        }
    }
}
