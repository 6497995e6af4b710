import Foundation
import Pinfold

/// Hears of the work of a step, and stops it as the step says.
final class PinWatch: Sendable, PullProgress, VerifyProgress, StoreProgress {
    /// What the function that hears of the work throws where the step says so.
    struct Failure: Error {}

    let cancel = Cancel()
    private let cancelled: String?
    private let fails: Bool
    private let heard = Box<(done: UInt64, total: UInt64)?>(nil)
    private let stop = Box<(@Sendable () -> Void)?>(nil)
    private let canStop = DispatchSemaphore(value: 0)

    init(_ step: SharedStep) {
        cancelled = step.cancel
        fails = step.fail_progress ?? false
    }

    /// What was heard last.
    var done: UInt64? { heard.value?.done }
    var total: UInt64? { heard.value?.total }

    /// Does the work by a blocking call with `cancel`, or in a task that can be cancelled.
    func run<Value: Sendable>(
        _ way: Way, _ blocking: () throws -> Value, async work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        if way == .blocking {
            if cancelled == "before" { cancel.cancel() }
            stop.set { [cancel] in cancel.cancel() }
            canStop.signal()
            return try blocking()
        }
        let task = Task { [cancelled] in
            if cancelled == "before" { withUnsafeCurrentTask { $0?.cancel() } }
            return try await work()
        }
        stop.set { task.cancel() }
        canStop.signal()
        return try await task.value
    }

    /// What an app's closure does.
    func hear(_ done: UInt64, _ total: UInt64) throws {
        heard.set((done, total))
        if cancelled == "progress" {
            canStop.wait()
            stop.value?()
            canStop.signal()
        }
        if fails { throw Failure() }
    }

    /// What an app's object does: it can throw this error alone.
    private func tell(_ done: UInt64, _ total: UInt64) throws {
        do { try hear(done, total) } catch { throw CallbackError.Failed }
    }

    func pulled(source: String, done: UInt64, total: UInt64) throws { try tell(done, total) }
    func verified(subject: String, done: UInt32, total: UInt32) throws { try tell(UInt64(done), UInt64(total)) }
    func processed(done: UInt64, total: UInt64) throws { try tell(done, total) }
}
