import Foundation
import Pinfold
import XCTest

/// Streams: to the end, cancelled, left early.
final class StreamTests: XCTestCase {
    func testAnAnswerStreams() async throws {
        let session = try Model.scripted(answer: "hello").session()
        try await session.append("q")
        let finishes = Box<[Finish]>([])
        var text = ""
        for try await chunk in session.stream(onFinish: { finish in finishes.update { $0.append(finish) } }) {
            text += chunk.text
        }
        XCTAssertEqual(text, "hello")
        XCTAssertEqual(finishes.value.map(\.reason), [.endOfGeneration])
        XCTAssertEqual(finishes.value.first?.generatedTokens, 5)
        XCTAssertEqual(try session.tokens().count, 6)
    }

    func testNothingRunsBeforeTheFirstPieceIsAskedFor() async throws {
        let session = try Model.scripted(answer: "hello").session()
        try await session.append("q")
        let stream = session.stream()
        try await session.append("r")
        var iterator = stream.makeAsyncIterator()
        let first = try await iterator.next()
        XCTAssertEqual(first?.text.first, "h")
        do {
            try await session.append("x")
            XCTFail("the session is busy")
        } catch let error as PinfoldError {
            XCTAssertEqual(error.code, .sessionBusy)
        }
        while try await iterator.next() != nil {}
        let after = try await iterator.next()
        XCTAssertNil(after, "a stream that ended stays at its end")
    }

    func testLeavingTheLoopFreesTheSession() async throws {
        let model = try Model.scripted(answer: String(repeating: "x", count: 500), stepMicroseconds: 1000)
        let session = try model.session()
        try await session.append("q")
        var seen = 0
        for try await chunk in session.stream() {
            seen += chunk.tokens.count
            if seen >= 3 { break }
        }
        let held = try session.tokens().count
        XCTAssertEqual(held, 1 + seen, "the session holds what the loop got")
        try await session.append("r")
    }

    func testCancellingTheTaskEndsTheLoop() async throws {
        let model = try Model.scripted(answer: String(repeating: "x", count: 500), stepMicroseconds: 1000)
        let session = try model.session()
        try await session.append("q")
        let seen = Box(0)
        let finished = Box(false)
        let task = Task {
            for try await chunk in session.stream(onFinish: { _ in finished.set(true) }) {
                seen.update { $0 += chunk.tokens.count }
            }
            return Task.isCancelled
        }
        while seen.value < 3 { try await Task.sleep(nanoseconds: 1_000_000) }
        task.cancel()
        let cancelled = try await task.value
        XCTAssertTrue(cancelled)
        XCTAssertFalse(finished.value, "a cancellation is no end")
        XCTAssertEqual(try session.tokens().count, 1 + seen.value)
        try await session.append("r")
    }

    func testATaskThatIsCancelledBeforeStartsNothing() async throws {
        let session = try Model.scripted(answer: "hello").session()
        try await session.append("q")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            var pieces = 0
            for try await _ in session.stream() { pieces += 1 }
            return pieces
        }
        let pieces = try await task.value
        XCTAssertEqual(pieces, 0)
        XCTAssertEqual(try session.tokens().count, 1)
    }

    func testErrorsOfAStream() async throws {
        let model = try Model.scripted(answer: "hello world", options: ModelOptions(contextTokens: 6))
        let session = try model.session()
        var text = ""
        do {
            for try await chunk in session.stream() { text += chunk.text }
            XCTFail("there is nothing to continue")
        } catch let error as PinfoldError {
            XCTAssertEqual(error.code, .sessionEmpty)
        }
        try await session.append("q")
        do {
            for try await chunk in session.stream() { text += chunk.text }
            XCTFail("the context is full")
        } catch let error as PinfoldError {
            XCTAssertEqual(error.code, .contextFull)
        }
        XCTAssertEqual(text, "hello", "what came before the error")
    }

    func testCompleting() async throws {
        let session = try Model.scripted(answer: "hello").session()
        try await session.append("q")
        let completion = try await session.complete(GenerateOptions(maxTokens: 4))
        XCTAssertEqual(completion.text, "hell")
        XCTAssertEqual(completion.tokens.map(\.token), [104, 101, 108, 108])
        XCTAssertEqual(completion.finish.reason, .length)
    }

    func testCancellingACompletion() async throws {
        let model = try Model.scripted(answer: String(repeating: "x", count: 500), stepMicroseconds: 1000)
        let session = try model.session()
        try await session.append("q")
        let task = Task { try await session.complete() }
        try await Task.sleep(nanoseconds: 20_000_000)
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("it was cancelled")
        } catch is CancellationError {}
        XCTAssertEqual(try session.tokens(), [113], "as before")
    }

    func testBlockingIteration() throws {
        let session = try Model.scripted(answer: "hello").session()
        try session.append("q")
        var text = ""
        for piece in try session.generate() { text += try piece.get().text }
        XCTAssertEqual(text, "hello")
        XCTAssertEqual(try session.complete(GenerateOptions(maxTokens: 0)).text, "")
        let failing = try Model.scripted(answer: "hello", options: ModelOptions(contextTokens: 3)).session()
        try failing.append("q")
        let pieces = Array(try failing.generate())
        XCTAssertEqual(pieces.compactMap { try? $0.get().text }.joined(), "he")
        XCTAssertThrowsError(try pieces.last?.get())
    }

    func testCancellingABlockingCompletion() throws {
        let model = try Model.scripted(answer: String(repeating: "x", count: 500), stepMicroseconds: 1000)
        let session = try model.session()
        try session.append("q")
        let cancel = Cancel()
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { cancel.cancel() }
        let completion = try session.complete(cancel: cancel)
        XCTAssertEqual(completion.finish.reason, .cancelled)
        XCTAssertEqual(try session.tokens().count, 1 + completion.tokens.count)
    }
}
