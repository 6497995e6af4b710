// The two ways of reading a generation, behind one function, so that the shared cases run through both.

import Foundation
import Pinfold

/// What came of a generation.
struct Outcome: Sendable {
    var text = ""
    var tokens: [GeneratedToken] = []
    var finish: FinishReason?
    var error: PinfoldError?

    mutating func add(_ chunk: Chunk) {
        text += chunk.text
        tokens += chunk.tokens
    }
}

enum Way: String, CaseIterable, Sendable {
    case blocking, async

    /// Generates; with `cancelAfter`, cancels once so many tokens came.
    func generate(_ session: Session, _ options: GenerateOptions, cancelAfter: Int?) async throws -> Outcome {
        switch self {
        case .blocking: return try Way.pull(session, options, cancelAfter)
        case .async: return try await Way.loop(session, options, cancelAfter)
        }
    }

    private static func pull(_ session: Session, _ options: GenerateOptions, _ cancelAfter: Int?) throws -> Outcome {
        var outcome = Outcome()
        do {
            let stream = try session.generate(options: options)
            for piece in stream {
                outcome.add(try piece.get())
                if let cancelAfter, outcome.tokens.count >= cancelAfter {
                    stream.cancel()
                }
            }
            outcome.finish = stream.finish()?.reason
        } catch let error as PinfoldError {
            outcome.error = error
        }
        return outcome
    }

    private static func loop(
        _ session: Session, _ options: GenerateOptions, _ cancelAfter: Int?
    ) async throws -> Outcome {
        let task = Task {
            var outcome = Outcome()
            let reason = Box<FinishReason?>(nil)
            do {
                for try await chunk in session.stream(options, onFinish: { reason.set($0.reason) }) {
                    outcome.add(chunk)
                    if let cancelAfter, outcome.tokens.count >= cancelAfter {
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
                outcome.finish = Task.isCancelled ? .cancelled : reason.value
            } catch let error as PinfoldError {
                outcome.error = error
            }
            return outcome
        }
        return try await task.value
    }
}

/// A value that several threads share.
final class Box<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var held: Value

    init(_ value: Value) { held = value }

    var value: Value { lock.withLock { held } }

    func set(_ value: Value) { lock.withLock { held = value } }

    @discardableResult
    func update<Result>(_ change: (inout Value) -> Result) -> Result { lock.withLock { change(&held) } }
}
