import Foundation

/// A closure of the app that hears of long work. What it throws cannot cross the boundary: it is kept here, and Rust is
/// told that it failed.
final class Watch<Heard>: @unchecked Sendable {
    private let hear: @Sendable (Heard) throws -> Void
    private let lock = NSLock()
    private var thrown: Error?

    private init(_ hear: @escaping @Sendable (Heard) throws -> Void) {
        self.hear = hear
    }

    /// Work that `progress` hears of. What that throws ends the work, and is thrown here.
    static func over<Value>(
        _ progress: (@Sendable (Heard) throws -> Void)?, _ work: (Watch?) throws -> Value
    ) throws -> Value {
        let watch = progress.map { Watch($0) }
        do {
            return try work(watch)
        } catch let error as PinfoldError where error.code == .callback {
            throw watch?.error ?? error
        }
    }

    private var error: Error? { lock.withLock { thrown } }

    private func tell(_ heard: Heard) throws {
        // One that failed is not called again, should Rust still have something to say.
        guard error == nil else { throw CallbackError.Failed }
        do {
            try hear(heard)
        } catch {
            lock.withLock { thrown = error }
            throw CallbackError.Failed
        }
    }
}

typealias Pulled = (source: String, done: UInt64, total: UInt64)
typealias Verified = (subject: String, done: UInt32, total: UInt32)
typealias Processed = (done: UInt64, total: UInt64)

extension Watch: LoadProgress where Heard == Float {
    func loaded(share: Float) throws { try tell(share) }
}

extension Watch: PullProgress where Heard == Pulled {
    func pulled(source: String, done: UInt64, total: UInt64) throws { try tell((source, done, total)) }
}

extension Watch: VerifyProgress where Heard == Verified {
    func verified(subject: String, done: UInt32, total: UInt32) throws { try tell((subject, done, total)) }
}

extension Watch: StoreProgress where Heard == Processed {
    func processed(done: UInt64, total: UInt64) throws { try tell((done, total)) }
}
