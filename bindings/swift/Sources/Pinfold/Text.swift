import Foundation

extension Message {
    /// What the author of the app says.
    public static func system(_ content: String) -> Message { Message(role: .system, content: content) }
    /// What the user says.
    public static func user(_ content: String) -> Message { Message(role: .user, content: content) }
    /// What the model said.
    public static func assistant(_ content: String) -> Message { Message(role: .assistant, content: content) }
    /// What a tool answered.
    public static func tool(_ content: String) -> Message { Message(role: .tool, content: content) }
}

extension Model {
    /// The tokens of a text, without a begin-of-sequence token. Does not block.
    ///
    /// - Parameters:
    ///   - text: At most 2 GiB of UTF-8.
    ///   - parseSpecial: Whether special tokens that are spelled out are read as tokens: only for text that the author
    ///     of a prompt or a chat template wrote, never for a user's.
    /// - Throws: ``PinfoldError``: `invalidOption` for a longer text.
    public func tokenize(_ text: String, parseSpecial: Bool = false) throws -> [Token] {
        try Limits.check("text", text.utf8.count)
        return try tokenize(text: text, parseSpecial: parseSpecial)
    }

    /// The prompt that the checkpoint's chat template makes of messages, ready for the answer; append it with
    /// `parseSpecial`, or use the session's `append(chat:of:)`, which does both. Does not block.
    ///
    /// - Throws: ``PinfoldError``: `chatTemplate` if there is none, or if it fails.
    public func chatPrompt(_ messages: [Message]) throws -> String {
        try Limits.check(messages)
        return try chatPrompt(messages: messages)
    }
}

extension Session {
    /// Adds text, without computing it yet. Blocks while a step of the model's other sessions is under way.
    ///
    /// - Parameters:
    ///   - text: At most 2 GiB of UTF-8.
    ///   - parseSpecial: Whether special tokens that are spelled out are read as tokens: only for text that the author
    ///     of a prompt or a chat template wrote, never for a user's.
    /// - Returns: The number of tokens held.
    /// - Throws: ``PinfoldError``: `contextFull`, with nothing added, or `sessionBusy`.
    @discardableResult
    public func append(_ text: String, parseSpecial: Bool = false) throws -> UInt32 {
        try Limits.check("text", text.utf8.count)
        return try append(text: text, parseSpecial: parseSpecial)
    }

    /// Adds text, without computing it yet, and without blocking the task's thread.
    ///
    /// - Parameters:
    ///   - text: At most 2 GiB of UTF-8.
    ///   - parseSpecial: Whether special tokens that are spelled out are read as tokens: only for text that the author
    ///     of a prompt or a chat template wrote, never for a user's.
    /// - Returns: The number of tokens held.
    /// - Throws: ``PinfoldError``: `contextFull`, with nothing added, or `sessionBusy`.
    @discardableResult
    public func append(_ text: String, parseSpecial: Bool = false) async throws -> UInt32 {
        try await OffPool.run { try self.append(text, parseSpecial: parseSpecial) }
    }

    /// Adds the prompt that the chat template of `model` makes of messages, ready for the answer.
    ///
    /// - Parameters:
    ///   - messages: The conversation.
    ///   - model: The model of this session.
    /// - Returns: The number of tokens held.
    /// - Throws: ``PinfoldError``: `chatTemplate`, `contextFull` or `sessionBusy`; nothing is added then.
    @discardableResult
    public func append(chat messages: [Message], of model: Model) throws -> UInt32 {
        try append(model.chatPrompt(messages), parseSpecial: true)
    }

    /// Adds the prompt that the chat template of `model` makes of messages, without blocking the task's thread.
    ///
    /// - Parameters:
    ///   - messages: The conversation.
    ///   - model: The model of this session.
    /// - Returns: The number of tokens held.
    /// - Throws: ``PinfoldError``: `chatTemplate`, `contextFull` or `sessionBusy`; nothing is added then.
    @discardableResult
    public func append(chat messages: [Message], of model: Model) async throws -> UInt32 {
        try await OffPool.run { try self.append(chat: messages, of: model) }
    }

    /// Computes what was added, so that the first token of the next generation comes at once. Cancelling the task
    /// stops it; what was computed by then stays.
    ///
    /// - Throws: ``PinfoldError`` or `CancellationError`.
    public func prefill() async throws {
        try await OffPool.cancellable { cancel in try self.prefill(cancel: cancel) }
    }

    /// The likeliest next tokens, the likeliest first. Cancelling the task stops it.
    ///
    /// - Parameter count: How many.
    /// - Throws: ``PinfoldError``: `sessionEmpty` or `sessionBusy`; `CancellationError`.
    public func nextTokens(_ count: UInt32) async throws -> [TokenLogprob] {
        try await OffPool.cancellable { cancel in try self.nextTokens(count: count, cancel: cancel) }
    }

    /// Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of the checkpoint.
    /// It holds the tokens, so treat it as the text that it stands for.
    ///
    /// - Throws: ``PinfoldError``: `io` or `sessionBusy`.
    public func save(to url: URL) async throws {
        let path = try Limits.path(url)
        try await OffPool.run { try self.save(path: path) }
    }

    /// Puts a saved session in the place of what is held.
    ///
    /// - Throws: ``PinfoldError``: `badSession` for a damaged file, another format or another checkpoint, or `io`; the
    ///   session keeps what it held.
    public func restore(from url: URL) async throws {
        let path = try Limits.path(url)
        try await OffPool.run { try self.restore(path: path) }
    }
}
