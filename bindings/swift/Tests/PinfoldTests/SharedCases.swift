// The shared cases of core/vectors/api.toml; the head of that file says what the steps mean.

import Foundation
import Pinfold

struct SharedCases: Decodable {
    var `case`: [SharedCase]
    /// The folder that the paths of lock files are relative to.
    var pins: String

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../..").standardizedFileURL

    /// The folder of real checkpoints, which may be absent.
    static let sharedData: URL = {
        let folder = ProcessInfo.processInfo.environment["PINFOLD_SHARED_DATA"]
        return folder.map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? repository.appendingPathComponent("../shared/data").standardizedFileURL
    }()

    /// What `tools/cases json` wrote.
    static func load() throws -> SharedCases {
        let file = repository.appendingPathComponent("target/cases/api.json")
        return try JSONDecoder().decode(SharedCases.self, from: Data(contentsOf: file))
    }
}

struct SharedCase: Decodable {
    var name: String
    var model: SharedModel?
    var lock: SharedLock?
    var steps: [SharedStep]?
}

struct SharedModel: Decodable {
    var scripted, embedded, file, shared: String?
    var bytes: [UInt8]?
    var context_tokens, sessions, step_microseconds: UInt32?
    var error, message: String?

    /// The model, or nothing if its checkpoint is not on this machine.
    func open() throws -> Model? {
        var options = ModelOptions()
        options.contextTokens = context_tokens ?? options.contextTokens
        options.sessions = sessions ?? options.sessions
        if let scripted {
            return try Model.scripted(answer: scripted, stepMicroseconds: step_microseconds ?? 0, options: options)
        } else if let embedded {
            return try Model.embedded(embedded, options: options)
        } else if let bytes {
            return try Model.loadBytes(name: "memory", bytes: Data(bytes), options: options)
        } else if let file {
            return try Model.load(path: file, options: options)
        } else if let shared {
            let path = SharedCases.sharedData.appendingPathComponent(shared).path
            return FileManager.default.fileExists(atPath: path) ? try Model.load(path: path, options: options) : nil
        }
        throw Mismatch("a model of a kind that is unknown")
    }
}

struct SharedLock: Decodable {
    var file, public_key, bytes_of, find: String?
    var error, message: String?

    /// The lock file, of the folder of lock files.
    func open(_ pins: URL) throws -> LockFile {
        if let bytes_of {
            let bytes = try Data(contentsOf: pins.appendingPathComponent(bytes_of))
            return try LockFile.open(bytes: bytes, path: pins.appendingPathComponent("embedded.lock").path)
        } else if let find {
            return try LockFile.find(in: pins.appendingPathComponent(find))
        } else if let file, let public_key {
            return try LockFile.open(contentsOf: pins.appendingPathComponent(file), publicKey: public_key)
        } else if let file {
            return try LockFile.open(contentsOf: pins.appendingPathComponent(file))
        }
        throw Mismatch("a lock file of a kind that is unknown")
    }
}

struct SharedStep: Decodable {
    var `do`: String
    var text, finish, error, message: String?
    var parse_special: Bool?
    var `repeat`, length, cancel_after, damage: Int?
    var messages: [[String]]?
    var tokens: [UInt32]?
    var stop: [String]?
    var temperature, top_p, min_p: Float?
    var seed: UInt64?
    var top_k, max_tokens, logprobs, count, to: UInt32?
    // Of a lock file.
    var name, path, public_key, cancel: String?
    var names, causes: [String]?
    var attempts: UInt32?
    var fail_progress, full_check, dry_run, reproducible, whole, passed: Bool?

    var repeated: String { String(repeating: text ?? "", count: `repeat` ?? 1) }

    var options: GenerateOptions {
        var sampling = Sampling()
        sampling.temperature = temperature ?? sampling.temperature
        sampling.seed = seed ?? sampling.seed
        sampling.topK = top_k ?? sampling.topK
        sampling.topP = top_p ?? sampling.topP
        sampling.minP = min_p ?? sampling.minP
        return GenerateOptions(sampling: sampling, maxTokens: max_tokens, stop: stop ?? [], logprobs: logprobs)
    }

    func chat() throws -> [Message] {
        let roles: [String: (String) -> Message] = [
            "system": Message.system, "user": Message.user, "assistant": Message.assistant, "tool": Message.tool,
        ]
        return try (messages ?? []).map { turn in
            guard let make = roles[turn[0]] else { throw Mismatch("a role that is unknown: \(turn[0])") }
            return make(turn[1])
        }
    }
}

/// A difference between what a case says and what came.
struct Mismatch: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }

    /// Strings are compared by their characters' code points: Swift's own `==` takes "é" and "e\u{301}" as equal.
    static func check<Value: Equatable>(_ name: String, _ found: Value, _ wanted: Value?) throws {
        guard let wanted else { return }
        let same: Bool
        if let found = found as? String, let wanted = wanted as? String {
            same = found.unicodeScalars.elementsEqual(wanted.unicodeScalars)
        } else {
            same = found == wanted
        }
        if !same { throw Mismatch("\(name) is \(found), not \(wanted)") }
    }
}
