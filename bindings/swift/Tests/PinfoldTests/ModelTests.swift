import Foundation
import XCTest

@testable import Pinfold

/// Loading, errors, texts, the log.
final class ModelTests: XCTestCase {
    func testTheEmbeddedCheckpoint() async throws {
        let name = try XCTUnwrap(embeddedCheckpoints().first { $0.name == "intent" }).name
        let shares = Box<[Float]>([])
        let model = try await Model.load(embedded: name) { share in shares.update { $0.append(share) } }
        XCTAssertEqual(shares.value, shares.value.sorted())
        XCTAssertEqual(shares.value.last, 1)
        let session = try model.session()
        try await session.append(chat: [.user("play some jazz")], of: model)
        let completion = try await session.complete(GenerateOptions(maxTokens: 100))
        XCTAssertTrue(completion.text.hasPrefix("{\"intent\":\"PlayMusic\""), completion.text)
        XCTAssertEqual(try model.digest().count, 64)
    }

    func testWhatTheProgressThrowsComesBack() async throws {
        struct Enough: Error {}
        do {
            _ = try await Model.load(embedded: "intent") { _ in throw Enough() }
            XCTFail("it threw")
        } catch is Enough {}
    }

    func testCancellingALoad() async throws {
        let started = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let calls = Box(0)
        let task = Task {
            try await Model.load(embedded: "intent") { _ in
                if calls.update({ $0 += 1; return $0 }) == 1 {
                    started.signal()
                    goOn.wait()
                }
            }
        }
        DispatchQueue.global().async {
            started.wait()
            task.cancel()
            goOn.signal()
        }
        do {
            _ = try await task.value
            XCTFail("it was cancelled")
        } catch is CancellationError {}
    }

    func testErrorsOfALoad() async throws {
        try await expect(.io) { _ = try await Model.load(contentsOf: URL(fileURLWithPath: "/no-such.gguf")) }
        try await expect(.badCheckpoint) { _ = try await Model.load(bytes: Data("GGUF".utf8)) }
        try await expect(.badCheckpoint) { _ = try await Model.load(bytes: Data()) }
        try await expect(.unknownCheckpoint) { _ = try await Model.load(embedded: "nothing") }
        try await expect(.unknownCheckpoint) { _ = try Model.embedded("") }
        try await expect(.invalidOption) {
            _ = try await Model.load(contentsOf: XCTUnwrap(URL(string: "https://example.com/x.gguf")))
        }
        try await expect(.invalidOption) { _ = try Model.embedded("intent", options: ModelOptions(sessions: 257)) }
        try await expect(.io) { _ = try inspectCheckpoint(path: "/no-such.gguf") }
    }

    func testAnErrorSpeaks() throws {
        XCTAssertThrowsError(try Model.load(path: "no-such.gguf")) { error in
            let pinfold = error as? PinfoldError
            XCTAssertEqual(pinfold?.code, .io)
            XCTAssertEqual(pinfold?.code.rawValue, "io")
            XCTAssertTrue(pinfold?.message.contains("no-such.gguf") ?? false)
            XCTAssertEqual(error.localizedDescription, pinfold?.message)
            XCTAssertEqual("\(error)", "io: \(pinfold?.message ?? "")")
        }
        XCTAssertEqual(PinfoldError.Code(rawValue: "context_full"), .contextFull)
    }

    func testValuesOutOfRange() async throws {
        let model = try Model.scripted(answer: "hello")
        let session = try model.session()
        try await session.append("q")
        for sampling in [
            Sampling(temperature: .nan), Sampling(temperature: -1), Sampling(topP: .infinity), Sampling(minP: 2),
            Sampling(repetitionPenalty: 0), Sampling(logitBias: [7: .nan]),
        ] {
            try await expect(.invalidOption) { _ = try await session.complete(GenerateOptions(sampling: sampling)) }
        }
        try await expect(.unknownToken) { _ = try session.appendTokens(tokens: [.max]) }
        try await expect(.invalidOption) { try session.rewind(length: .max) }
        try await expect(.badSession) { try await session.restore(from: URL(fileURLWithPath: #filePath)) }
        try await expect(.io) { try await session.save(to: URL(fileURLWithPath: "/no-such-folder/x")) }
        XCTAssertEqual(try session.tokens(), [113], "nothing was lost")
    }

    func testSavingAndRestoring() async throws {
        let session = try Model.scripted(answer: "hello").session()
        try await session.append("abc")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("pinfold \(UUID().uuidString) é")
        defer { try? FileManager.default.removeItem(at: file) }
        try await session.save(to: file)
        try session.rewind(length: 0)
        try await session.restore(from: file)
        XCTAssertEqual(try session.tokens(), [97, 98, 99])
        let next = try await session.nextTokens(1)
        XCTAssertEqual(next.map(\.token), [104])
    }

    func testALoneSurrogateIsReplacedBeforeItComesHere() throws {
        let units: [UInt16] = [0x61, 0xD800, 0x62]
        let model = try Model.scripted(answer: "hello")
        let replaced: [Token] = [0x61, 0xEF, 0xBF, 0xBD, 0x62]
        XCTAssertEqual(try model.tokenize(String(decoding: units, as: UTF16.self)), replaced)
        let foreign = NSString(characters: units, length: units.count)
        XCTAssertEqual(try model.tokenize("\(foreign)"), replaced)
    }

    func testATextOfTwoGibibytesIsRefused() async throws {
        // A text so long takes minutes to make, so only its length is looked at.
        try Limits.check("text", Int(Int32.max))
        try await expect(.invalidOption) { try Limits.check("text", Int(Int32.max) + 1) }
    }

    func testTheLog() throws {
        let lines = Box<[LogLine]>([])
        try Log.send(.debug) { line in lines.update { $0.append(line) } }
        _ = try Model.embedded("intent")
        Log.stop()
        let count = lines.value.count
        XCTAssertGreaterThan(count, 0)
        XCTAssertTrue(lines.value.allSatisfy { $0.level <= .debug && !$0.target.isEmpty })
        _ = try Model.embedded("intent")
        XCTAssertEqual(lines.value.count, count, "silent again")
    }

    func testTheMachine() throws {
        XCTAssertFalse(version().isEmpty)
        XCTAssertEqual(try devices().last?.kind, .cpu)
    }

    private func expect(_ code: PinfoldError.Code, _ work: () async throws -> Void) async throws {
        do {
            try await work()
            XCTFail("\(code) was to come")
        } catch let error as PinfoldError {
            XCTAssertEqual(error.code, code, error.message)
        }
    }
}
