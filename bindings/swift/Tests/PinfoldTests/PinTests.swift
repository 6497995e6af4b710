import Foundation
import XCTest

@testable import Pinfold

/// Lock files and stores: errors, progress, cancelling, threads.
final class PinTests: XCTestCase {
    private static let pins = SharedCases.repository.appendingPathComponent("core/vectors/pins")
    private static let checkpoint = SharedCases.repository
        .appendingPathComponent("checkpoints/intent/pinfold-intent-q8_0.gguf")
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("pinfold é \(UUID().uuidString)")

    override func tearDown() {
        try? FileManager.default.removeItem(at: folder)
    }

    private func open() throws -> (LockFile, Store) {
        (try LockFile.open(contentsOf: Self.pins.appendingPathComponent("pinfold.lock")), try Store.open(at: folder))
    }

    func testFromThePinToTheAnswer() async throws {
        let (lock, store) = try open()
        let heard = Box<[(String, UInt64, UInt64)]>([])
        let file = try await lock.pull("intent", into: store) { source, done, total in
            heard.update { $0.append((source, done, total)) }
        }
        XCTAssertEqual(heard.value.map(\.1), heard.value.map(\.1).sorted())
        XCTAssertTrue(heard.value.allSatisfy { $0.0.hasPrefix("file:") })
        let entry = try XCTUnwrap(store.entries().first)
        XCTAssertEqual(entry.digest, file.digest)
        XCTAssertEqual(entry.url, file.url)
        XCTAssertEqual(entry.size, heard.value.last?.1)
        XCTAssertEqual(entry.size, heard.value.last?.2)
        XCTAssertEqual(entry.pinnedBy.map { URL(fileURLWithPath: $0).lastPathComponent }, ["pinfold.lock"])
        XCTAssertLessThan(abs(try XCTUnwrap(entry.used).timeIntervalSinceNow), 3600)

        let shares = Box<[Float]>([])
        let options = ModelOptions(reproducible: true)
        let model = try await lock.load("intent", from: store, options: options) { share in
            shares.update { $0.append(share) }
        }
        XCTAssertEqual(shares.value.last, 1)
        XCTAssertEqual(try model.digest(), file.digest)
        let session = try model.session()
        try await session.append(chat: [.user("play some jazz by miles davis")], of: model)
        let completion = try await session.complete(GenerateOptions(sampling: Sampling(temperature: 0), maxTokens: 40))
        XCTAssertEqual(completion.text, lock.goldens().first { $0.name == "music" }?.text)
    }

    func testBlockingCalls() throws {
        let (lock, store) = try open()
        let calls = Box(0)
        try lock.pull("intent", into: store) { _, _, _ in calls.update { $0 += 1 } }
        XCTAssertGreaterThan(calls.value, 0)
        let file = try lock.resolve("intent", in: store, fullCheck: true)
        XCTAssertEqual(try store.importFile(at: file.url) { _, _ in calls.update { $0 += 1 } }, file.digest)
        XCTAssertEqual(try store.verify(), [])
        XCTAssertEqual(try store.verify([file.digest]) { _, _ in calls.update { $0 += 1 } }, [])
        XCTAssertEqual(try lock.load("intent", from: store) { _ in calls.update { $0 += 1 } }.digest(), file.digest)
        let options = VerifyOptions(names: ["rebiased"], threads: 1)
        let subjects = Box<[String]>([])
        let report = try lock.verify(in: store, options: options) { subject, _, _ in
            subjects.update { $0.append(subject) }
        }
        XCTAssertFalse(report.passed)
        let golden = try XCTUnwrap(report.goldens.first)
        XCTAssertEqual(golden.outcome, .different)
        XCTAssertEqual(golden.difference?.expectedText, lock.goldens().first { $0.name == golden.name }?.text)
        XCTAssertEqual(subjects.value.last, "")
        XCTAssertEqual(try store.collect(dryRun: true).removed, [])
    }

    func testWhatTheProgressThrowsComesBack() async throws {
        struct Enough: Error {}
        let (lock, store) = try open()
        let cancel = Cancel()
        XCTAssertThrowsError(try lock.pull("intent", into: store, cancel: cancel) { _, _, _ in throw Enough() }) {
            XCTAssertTrue($0 is Enough, "\($0)")
        }
        XCTAssertFalse(cancel.isCancelled(), "the app's own flag")
        try await expect(Enough.self) { try await lock.pull("intent", into: store) { _, _, _ in throw Enough() } }
        try await expect(Enough.self) { _ = try await lock.load("intent", from: store) { _ in throw Enough() } }
        try await expect(Enough.self) { _ = try await lock.verify(in: store) { _, _, _ in throw Enough() } }
        try await expect(Enough.self) { try await store.importFile(at: Self.checkpoint) { _, _ in throw Enough() } }
        XCTAssertEqual(try store.entries(), [], "nothing was stored")
        try await lock.pull("intent", into: store)
        try await expect(Enough.self) { _ = try await store.verify { _, _ in throw Enough() } }
        // An error of Pinfold is the app's too when the app throws it.
        try await expect(.cancelled) {
            _ = try await store.verify { _, _ in throw PinfoldError.Cancelled(message: "by the app") }
        }
        try await expect(.callback) {
            _ = try await store.verify { _, _ in throw PinfoldError.Callback(message: "by the app") }
        }
    }

    func testCancelling() async throws {
        let (lock, store) = try open()
        let started = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let calls = Box(0)
        let task = Task {
            try await lock.pull("intent", into: store) { _, _, _ in
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
        let cancel = Cancel()
        cancel.cancel()
        XCTAssertThrowsError(try lock.verify(in: store, cancel: cancel)) {
            XCTAssertEqual(($0 as? PinfoldError)?.code, .cancelled)
        }
        try await lock.pull("intent", into: store)
        XCTAssertEqual(try store.entries().count, 1)
    }

    func testLockFilesThatCannotBeOpened() async throws {
        let web = try XCTUnwrap(URL(string: "https://example.com/pinfold.lock"))
        try await expect(.invalidOption) { _ = try LockFile.open(contentsOf: web) }
        try await expect(.invalidOption) { _ = try LockFile.find(in: web) }
        try await expect(.invalidOption) { _ = try Store.open(at: web) }
        try await expect(.io) { _ = try LockFile.open(contentsOf: folder) }
        try await expect(.io) { _ = try LockFile.open(path: "") }
        try await expect(.io) { _ = try LockFile.open(path: "a\0b") }
        try await expect(.io) { _ = try LockFile.find(in: URL(fileURLWithPath: "/")) }
        for bytes in ["", "version = 2", "version = ", "\u{FEFF}version = 1\nvershun = 1", "\0"] {
            try await expect(.badLock, "my.lock") { _ = try LockFile.open(bytes: Data(bytes.utf8), path: "my.lock") }
        }
        try await expect(.badLock, "my.lock:1:") { _ = try LockFile.open(bytes: Data([0xFF, 0xFE]), path: "my.lock") }
        let empty = try LockFile.open(bytes: Data("version = 1\n".utf8))
        XCTAssertEqual(empty.path(), "pinfold.lock")
        XCTAssertEqual(empty.checkpoints(), [])
        try await expect(.notPinned, "it pins: nothing") { _ = try empty.sampling("careful") }
        for key in ["", "RW", "é", String(repeating: "A", count: 56), "a\0b"] {
            let file = Self.pins.appendingPathComponent("pinfold.lock")
            try await expect(.badSignature) { _ = try LockFile.open(contentsOf: file, publicKey: key) }
        }
    }

    func testArgumentsThatAreRefused() async throws {
        let (lock, store) = try open()
        for name in ["", "INTENT", "a\0b", "../intent", String(repeating: "x", count: 100_000)] {
            try await expect(.notPinned) { _ = try await lock.resolve(name, in: store) }
            try await expect(.notPinned) { _ = try lock.sampling(name) }
            try await expect(.notPinned) { _ = try await lock.verify(in: store, options: VerifyOptions(names: [name])) }
        }
        for options in [
            PullOptions(connections: 0), PullOptions(connections: 17), PullOptions(attempts: 0),
            PullOptions(attempts: 101), PullOptions(stallTimeoutMs: 0),
        ] {
            try await expect(.invalidOption) { try await lock.pull("elsewhere", into: store, options: options) }
        }
        for tolerance: Float in [.nan, -1, .infinity] {
            let options = VerifyOptions(names: ["music"], tolerance: tolerance)
            try await expect(.invalidOption) { _ = try await lock.verify(in: store, options: options) }
        }
        for digest in ["", "ab", String(repeating: "g", count: 64), "é", "a\0b"] {
            try await expect(.invalidOption) { _ = try await store.verify([digest]) }
            try await expect(.invalidOption) { _ = try store.remove(digest: digest) }
            try await expect(.invalidOption) {
                try await store.importFile(at: Self.checkpoint, expectedDigest: digest)
            }
        }
        try await expect(.notPulled) { _ = try await store.verify([String(repeating: "a", count: 64)]) }
        try await expect(.io) { try await store.importFile(at: self.folder.appendingPathComponent("no-such.gguf")) }
        try Limits.check("names", ["a", "b"])
        try await expect(.invalidOption) { try Limits.check("name", Int(Int32.max) + 1) }
        XCTAssertEqual(try store.entries(), [])
    }

    func testStoresThatRefuse() async throws {
        let (lock, _) = try open()
        let small = try Store.open(at: folder, quota: 1000)
        try await expect(.noSpace) { try await lock.pull("intent", into: small) }
        try await expect(.noSpace) { try await small.importFile(at: Self.checkpoint) }
        try await expect(.badStore) { _ = try Store.open(at: URL(fileURLWithPath: #filePath)) }
        try await expect(.notPulled) { _ = try await lock.load("elsewhere", from: small) }
    }

    func testThePrintedOptionsHideTheToken() {
        let options = PullOptions(hubEndpoint: "https://hub.example", hubToken: "hf_secret")
        var dumped = ""
        dump(options, to: &dumped)
        struct Settings { var options: PullOptions }
        for text in [
            "\(options)", String(reflecting: options), String(describing: Optional(options)), "\([options])", dumped,
            "\(Settings(options: options))",
        ] {
            XCTAssertFalse(text.contains("hf_secret"), text)
            XCTAssertTrue(text.contains("https://hub.example"), text)
        }
        XCTAssertNotEqual(options, PullOptions(hubEndpoint: "https://hub.example"), "the value has it")
    }

    func testEveryErrorHasItsName() {
        let names = Set(PinfoldError.Code.allCases.map(\.rawValue))
        XCTAssertEqual(names.count, 28)
        let added = [
            "bad_lock", "not_pinned", "not_pulled", "wrong_digest", "bad_store", "no_space", "bad_source",
            "pull_failed", "bad_signature",
        ]
        XCTAssertTrue(names.isSuperset(of: added))
    }

    func testManyTasksPullTheSame() async throws {
        let (lock, store) = try open()
        let other = try Store.open(at: folder)
        let paths = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<8 {
                group.addTask { try await lock.pull("intent", into: index % 2 == 0 ? store : other).path }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        XCTAssertEqual(paths.count, 1)
        XCTAssertEqual(try store.entries().count, 1)
        let damaged = try await store.verify()
        XCTAssertEqual(damaged, [])
    }

    func testAModelOutlivesItsLockFileAndStore() async throws {
        var opened: (LockFile, Store)? = try open()
        try await opened?.0.pull("intent", into: XCTUnwrap(opened?.1))
        let model = try await XCTUnwrap(opened?.0).load("intent", from: XCTUnwrap(opened?.1))
        opened = nil
        let session = try model.session()
        try await session.append("q")
        let completion = try await session.complete(GenerateOptions(maxTokens: 1))
        XCTAssertEqual(completion.tokens.count, 1)
    }

    private func expect<Failure: Error>(_ kind: Failure.Type, _ work: () async throws -> Void) async throws {
        do {
            try await work()
            XCTFail("\(kind) was to come")
        } catch is Failure {}
    }

    private func expect(
        _ code: PinfoldError.Code, _ part: String = "", _ work: () async throws -> Void
    ) async throws {
        do {
            try await work()
            XCTFail("\(code) was to come")
        } catch let error as PinfoldError {
            XCTAssertEqual(error.code, code, error.message)
            if !part.isEmpty { XCTAssertTrue(error.message.contains(part), error.message) }
        }
    }
}
