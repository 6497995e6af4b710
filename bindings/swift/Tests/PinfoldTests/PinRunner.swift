import Foundation
import Pinfold

/// Does the steps of one case that opens a lock file.
final class PinRunner {
    private let way: Way
    private let pins: URL
    private let lock: LockFile
    private let store: Store
    private let folder: URL
    /// The model that a step loaded.
    private var model: CaseRunner?

    private init(_ lock: LockFile, _ way: Way, _ pins: URL) throws {
        self.lock = lock
        self.way = way
        self.pins = pins
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("pinfold-case-\(UUID().uuidString)")
        store = try Store.open(at: folder)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static func run(_ shared: SharedCase, _ way: Way, _ pins: URL) async throws {
        guard let source = shared.lock else { throw Mismatch("the case has no lock file") }
        let lock: LockFile
        do {
            lock = try source.open(pins)
        } catch let error as PinfoldError {
            return try CaseRunner.expect(error, source.error, source.message)
        }
        if let wanted = source.error { throw Mismatch("the lock file was read, but \(wanted) was to come") }
        let runner = try PinRunner(lock, way, pins)
        try await CaseRunner.eachStep(of: shared, runner.take)
    }

    private func take(_ step: SharedStep) async throws {
        do {
            try await perform(step)
        } catch Unknown.step {
            guard let model else { throw Mismatch("a step that is unknown, or wants a model") }
            return try await model.take(step)
        } catch is PinWatch.Failure where way == .async && step.error == "callback" {
            return  // An app gets its own error back.
        } catch is CancellationError where way == .async && step.error == "cancelled" {
            return
        } catch let error as PinfoldError {
            return try CaseRunner.expect(error, step.error, step.message)
        }
        if let error = step.error { throw Mismatch("it worked, but \(error) was to come") }
    }

    private enum Unknown: Error { case step }

    private func perform(_ step: SharedStep) async throws {
        let name = step.name ?? ""
        switch step.do {
        case "checkpoints":
            try Mismatch.check("text", lock.checkpoints().map(line).joined(separator: "\n"), step.text)
        case "adapters":
            let lines = lock.adapters().map { pin in
                [pin.name, pin.architecture, pin.base, pin.licence, pin.sources[0]].joined(separator: " ")
            }
            try Mismatch.check("text", lines.joined(separator: "\n"), step.text)
        case "goldens":
            let lines = lock.goldens().map { "\($0.name) \($0.checkpoint)" }
            try Mismatch.check("text", lines.joined(separator: "\n"), step.text)
        case "sampling":
            let found = try lock.sampling(name)
            try Mismatch.check("temperature", found.temperature, step.temperature)
            try Mismatch.check("seed", found.seed, step.seed)
            try Mismatch.check("top_k", found.topK, step.top_k)
            try Mismatch.check("biases", found.logitBias.count, 1)
        case "entries":
            try Mismatch.check("length", store.entries().count, step.length)
        case "remove":
            try Mismatch.check("length", store.remove(digest: pin(name).digest) ? 1 : 0, step.length)
        case "damage_stored":
            try damage(pin(name).digest, at: step.damage ?? 0)
        default:
            try await performLong(step, name)
        }
    }

    private func performLong(_ step: SharedStep, _ name: String) async throws {
        let (lock, store, watch) = (lock, store, PinWatch(step))
        switch step.do {
        case "resolve":
            let full = step.full_check ?? false
            try isPinned(await watch.run(way) {
                try lock.resolve(name: name, store: store, fullCheck: full)
            } async: {
                try await lock.resolve(name, in: store, fullCheck: full)
            })
        case "pull":
            let options = PullOptions(attempts: step.attempts ?? PullOptions().attempts)
            let file = try await watch.run(way) {
                try lock.pull(name: name, store: store, options: options, progress: watch, cancel: watch.cancel)
            } async: {
                try await lock.pull(name, into: store, options: options) { try watch.hear($1, $2) }
            }
            try isPinned(file)
            guard file.path.hasPrefix(store.root()) else { throw Mismatch("the file is outside of the store") }
            if step.whole == true {
                let size = try pin(name).size
                try Mismatch.check("bytes done", watch.done, size)
                try Mismatch.check("bytes in all", watch.total, size)
            }
        case "load":
            let options = ModelOptions(reproducible: step.reproducible ?? false)
            model = try CaseRunner(await watch.run(way) {
                try lock.load(name: name, store: store, options: options)
            } async: {
                try await lock.load(name, from: store, options: options)
            }, way)
        case "check_signature":
            let key = step.public_key ?? ""
            try await watch.run(way) {
                try lock.checkSignature(name: name, store: store, publicKey: key)
            } async: {
                try await lock.checkSignature(of: name, in: store, publicKey: key)
            }
        case "verify":
            let options = VerifyOptions(names: step.names ?? [], threads: 1)
            let report = try await watch.run(way) {
                try lock.verify(store: store, options: options, progress: watch, cancel: watch.cancel)
            } async: {
                try await lock.verify(in: store, options: options) { try watch.hear(UInt64($1), UInt64($2)) }
            }
            let causes = report.files.flatMap(\.causes) + report.goldens.compactMap(\.cause)
            try Mismatch.check("passed", report.passed, step.passed)
            try Mismatch.check("causes", causes.map(snakeCase), step.causes)
        default:
            try await performOfStore(step, name, watch)
        }
    }

    private func performOfStore(_ step: SharedStep, _ name: String, _ watch: PinWatch) async throws {
        let store = store
        switch step.do {
        case "collect":
            let dry = step.dry_run ?? false
            let collected = try await watch.run(way) {
                try store.collect(dryRun: dry)
            } async: {
                try await store.collect(dryRun: dry)
            }
            try Mismatch.check("length", collected.removed.count, step.length)
        case "verify_store":
            let damaged = try await watch.run(way) {
                try store.verify(progress: watch, cancel: watch.cancel)
            } async: {
                try await store.verify { try watch.hear($0, $1) }
            }
            try Mismatch.check("length", damaged.count, step.length)
        case "import_file":
            let file = pins.appendingPathComponent(step.path ?? "")
            let expected = try step.name.map { try pin($0).digest }
            let digest = try await watch.run(way) {
                try store.importFile(path: file.path, expectedDigest: expected, progress: watch, cancel: watch.cancel)
            } async: {
                try await store.importFile(at: file, expectedDigest: expected) { try watch.hear($0, $1) }
            }
            try Mismatch.check("digest", digest, expected)
        default:
            throw Unknown.step
        }
    }

    private func pin(_ name: String) throws -> PinnedCheckpoint {
        guard let pin = lock.checkpoints().first(where: { $0.name == name }) else {
            throw Mismatch("no pin is \(name)")
        }
        return pin
    }

    private func line(_ pin: PinnedCheckpoint) -> String {
        let facts = [pin.name, pin.architecture, pin.quantization, pin.licence, pin.sources[0]]
        let signed = pin.signed ? "signed" : "unsigned"
        let template = pin.chatTemplateDigest == nil ? "no template" : "template"
        return (facts + [String(pin.contextLength), signed, template]).joined(separator: " ")
    }

    /// Foundation of Linux has no SHA-256, so the bytes are compared with those of the file that was pinned.
    private func isPinned(_ file: PinnedFile) throws {
        let pin = try pin(file.name)
        try Mismatch.check("digest", file.digest, pin.digest)
        let original = pins.appendingPathComponent(String(pin.sources[0].dropFirst("file:".count)))
        guard try Data(contentsOf: file.url) == Data(contentsOf: original) else { throw Mismatch("the bytes differ") }
    }

    private func damage(_ digest: String, at index: Int) throws {
        guard let file = try store.entries().first(where: { $0.digest == digest })?.url else {
            throw Mismatch("the store does not have it")
        }
        var bytes = try Data(contentsOf: file)
        bytes[index] ^= 1
        try FileManager.default.removeItem(at: file)
        try bytes.write(to: file)
    }

    private func snakeCase(_ cause: Cause) -> String {
        "\(cause)".map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
    }
}
