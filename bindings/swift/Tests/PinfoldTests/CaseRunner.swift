import Foundation
import Pinfold

/// Does the steps of one case that are about a model.
final class CaseRunner {
    enum Verdict: Equatable { case passed, skipped(String) }

    private let way: Way
    private let model: Model
    private var session: Session
    /// What stays open until the case ends.
    private var others: [Session] = []
    private var busy: Pinfold.Stream?
    private let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("pinfold-case-\(UUID().uuidString).session")

    init(_ model: Model, _ way: Way) throws {
        self.model = model
        self.way = way
        session = try model.session()
    }

    deinit { try? FileManager.default.removeItem(at: file) }

    static func run(_ shared: SharedCase, _ way: Way) async throws -> Verdict {
        guard let source = shared.model else { throw Mismatch("the case has neither a model nor a lock file") }
        let opened: Model?
        do {
            opened = try source.open()
        } catch let error as PinfoldError {
            try expect(error, source.error, source.message)
            return .passed
        }
        guard let opened else { return .skipped("the shared data is not here") }
        if let wanted = source.error { throw Mismatch("the model was loaded, but \(wanted) was to come") }
        let runner = try CaseRunner(opened, way)
        try await eachStep(of: shared, runner.take)
        return .passed
    }

    static func eachStep(of shared: SharedCase, _ take: (SharedStep) async throws -> Void) async throws {
        for (number, step) in (shared.steps ?? []).enumerated() {
            do {
                try await take(step)
            } catch {
                throw Mismatch("step \(number + 1), \(step.do): \(error)")
            }
        }
    }

    static func expect(_ error: PinfoldError, _ code: String?, _ message: String?) throws {
        guard let code else { throw Mismatch("failed: \(error)") }
        try Mismatch.check("the error", error.code.rawValue, code)
        if let message, !error.message.contains(message) {
            throw Mismatch("the message lacks \"\(message)\": \(error.message)")
        }
    }

    func take(_ step: SharedStep) async throws {
        if step.do == "generate" {
            return try await generate(step)
        }
        do {
            try perform(step)
        } catch let error as PinfoldError {
            return try Self.expect(error, step.error, step.message)
        }
        // A Swift string cannot be ill-formed, so this step is not done, and has no error.
        if let error = step.error, step.do != "ill_formed_text" { throw Mismatch("it worked, but \(error) was to come") }
    }

    private func perform(_ step: SharedStep) throws {
        switch step.do {
        case "append":
            let length = try session.append(step.repeated, parseSpecial: step.parse_special ?? false)
            try Mismatch.check("length", Int(length), step.length)
        case "append_chat":
            try Mismatch.check("length", Int(try session.append(chat: step.chat(), of: model)), step.length)
        case "append_tokens":
            try Mismatch.check("length", Int(try session.appendTokens(tokens: step.tokens ?? [])), step.length)
        case "prefill":
            try session.prefill(cancel: nil)
        case "generate_busy":
            busy = try session.generate(options: step.options)
        case "drop_stream":
            busy = nil
        case "tokens":
            try compare(step, session.tokens())
        case "rewind":
            try session.rewind(length: step.to ?? 0)
        case "fork":
            others.append(session)
            session = try session.fork()
        case "second_session":
            others.append(try model.session())
        case "save":
            try session.save(path: file.path)
        case "restore":
            try restore(damage: step.damage)
        case "next_tokens":
            let found = try session.nextTokens(count: step.count ?? 0)
            try Mismatch.check("tokens", found.map(\.token), step.tokens)
        case "tokenize":
            try compare(step, model.tokenize(step.repeated, parseSpecial: step.parse_special ?? false))
        case "detokenize":
            try Mismatch.check("text", model.detokenize(tokens: step.tokens ?? []), step.text)
        case "ill_formed_text":
            break
        default:
            throw Mismatch("a step that is unknown")
        }
    }

    private func compare(_ step: SharedStep, _ tokens: [Token]) throws {
        try Mismatch.check("tokens", tokens, step.tokens)
        try Mismatch.check("length", tokens.count, step.length)
    }

    private func restore(damage: Int?) throws {
        guard let damage else { return try session.restore(path: file.path) }
        var bytes = try Data(contentsOf: file)
        bytes[damage] ^= 1
        let damaged = file.appendingPathExtension("damaged")
        try bytes.write(to: damaged)
        defer { try? FileManager.default.removeItem(at: damaged) }
        try session.restore(path: damaged.path)
    }

    private func generate(_ step: SharedStep) async throws {
        let before = step.cancel_after == nil ? [] : try session.tokens()
        let outcome = try await way.generate(session, step.options, cancelAfter: step.cancel_after)
        if let error = outcome.error {
            try Self.expect(error, step.error, step.message)
        } else if let error = step.error {
            throw Mismatch("it worked, but \(error) was to come")
        }
        if let least = step.cancel_after {
            try Mismatch.check("finish", outcome.finish, .cancelled)
            guard outcome.tokens.count >= least else { throw Mismatch("only \(outcome.tokens.count) tokens came") }
            guard (step.text ?? "").hasPrefix(outcome.text) else { throw Mismatch("the text is \(outcome.text)") }
            try Mismatch.check("tokens held", session.tokens(), before + outcome.tokens.map(\.token))
            return
        }
        try Mismatch.check("text", outcome.text, step.text)
        try Mismatch.check("tokens", outcome.tokens.map(\.token), step.tokens)
        try Mismatch.check("finish", name(outcome.finish), step.finish)
        if step.logprobs != nil, outcome.tokens.contains(where: { $0.logprob == nil }) {
            throw Mismatch("a token has no logprob")
        }
    }

    private func name(_ reason: FinishReason?) -> String {
        switch reason {
        case .endOfGeneration: "end_of_generation"
        case .stop: "stop"
        case .length: "length"
        case .cancelled: "cancelled"
        case nil: "none"
        }
    }
}
