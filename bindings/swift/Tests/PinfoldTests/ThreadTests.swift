import Foundation
import Pinfold
import XCTest

/// Many tasks, Swift's pool, and the order in which things go.
final class ThreadTests: XCTestCase {
    func testWaitingForPiecesBlocksNoThreadOfThePool() async throws {
        // More streams than the pool has threads, each waiting for a token that takes half a second.
        let count = ProcessInfo.processInfo.activeProcessorCount * 2 + 6
        let options = ModelOptions(sessions: UInt32(count))
        let model = try Model.scripted(answer: "xy", stepMicroseconds: 500_000, options: options)
        let pieces = Box(0)
        let sessions = try (0..<count).map { _ in
            let session = try model.session()
            try session.append("q")
            return session
        }
        let streams = sessions.map { session in
            Task { for try await _ in session.stream() { pieces.update { $0 += 1 } } }
        }
        try await Task.sleep(nanoseconds: 100_000_000)
        var small = 0
        for _ in 0..<50 { small += await Task.detached { 1 }.value }
        XCTAssertEqual(small, 50)
        XCTAssertEqual(pieces.value, 0, "the small tasks were done while all streams waited")
        for stream in streams { stream.cancel() }
        for stream in streams { try await stream.value }
    }

    func testManySessionsOfOneModel() async throws {
        let model = try Model.scripted(answer: "the same answer to all", options: ModelOptions(sessions: 16))
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    let session = try model.session()
                    try await session.append("q")
                    var text = ""
                    for try await chunk in session.stream() { text += chunk.text }
                    return text
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        XCTAssertEqual(texts, Array(repeating: "the same answer to all", count: 16))
    }

    func testOneSessionFromManyTasks() async throws {
        let session = try Model.scripted(answer: "hello").session()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<32 { group.addTask { try await session.append("q") } }
            try await group.waitForAll()
        }
        XCTAssertEqual(try session.tokens().count, 32)
        let answers = Box(0)
        let refusals = Box(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        _ = try await session.complete(GenerateOptions(maxTokens: 2))
                        answers.update { $0 += 1 }
                    } catch let error as PinfoldError where error.code == .sessionBusy {
                        refusals.update { $0 += 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        XCTAssertEqual(answers.value + refusals.value, 8)
        XCTAssertGreaterThan(answers.value, 0)
    }

    func testOneStreamFromManyThreads() throws {
        let model = try Model.scripted(answer: String(repeating: "x", count: 400))
        let session = try model.session()
        try session.append("q")
        let stream = try session.generate()
        let count = Box(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            while let chunk = try? stream.next() { count.update { $0 += chunk.tokens.count } }
            _ = stream.finish()
        }
        XCTAssertEqual(count.value, 400)
    }

    func testDroppingInAnyOrder() throws {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var model: Model? = try Model.scripted(answer: "a rather long answer", stepMicroseconds: 500)
            var session: Session? = try model?.session()
            try session?.append("q")
            var stream: Pinfold.Stream? = try session?.generate()
            for what in order {
                switch what {
                case 0: model = nil
                case 1: session = nil
                default: stream = nil
                }
                // What is left can be used.
                _ = try stream?.next()
                if stream == nil { XCTAssertGreaterThan(try session?.tokens().count ?? 1, 0) }
                XCTAssertEqual(model?.contextTokens() ?? 1024, 1024)
            }
        }
    }

    func testSessionsAreGivenBack() async throws {
        let model = try Model.scripted(answer: "hello", options: ModelOptions(sessions: 1))
        for _ in 0..<100 {
            let session = try model.session()
            try await session.append("q")
            for try await _ in session.stream() { break }
        }
        let session = try model.session()
        XCTAssertThrowsError(try model.session()) { XCTAssertEqual(($0 as? PinfoldError)?.code, .tooManySessions) }
        XCTAssertEqual(try session.tokens(), [])
    }

    func testCancellingAPrefill() async throws {
        let options = ModelOptions(contextTokens: 100_000, sliceTokens: 1)
        let session = try Model.scripted(answer: "hello", stepMicroseconds: 1000, options: options).session()
        try await session.append(String(repeating: "x", count: 50_000))
        let task = Task { try await session.prefill() }
        try await Task.sleep(nanoseconds: 20_000_000)
        task.cancel()
        do {
            try await task.value
            XCTFail("it was cancelled")
        } catch is CancellationError {}
        XCTAssertEqual(try session.tokens().count, 50_000, "what was added stays")
    }
}
