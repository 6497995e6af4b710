import Foundation

/// What a call can carry. UniFFI counts bytes in an `Int32` and traps above it, so the skin looks first.
enum Limits {
    static let longest = Int(Int32.max)

    static func check(_ name: String, _ bytes: Int) throws {
        if bytes > longest {
            throw PinfoldError.InvalidOption(message: "\(name): \(bytes) bytes, but at most \(longest) can be given")
        }
    }

    static func check(_ name: String, _ text: String) throws {
        try check(name, text.utf8.count)
    }

    /// Texts that travel in one buffer, with room for what stands beside them.
    static func check(_ name: String, _ texts: [String]) throws {
        try check(name, texts.reduce(32) { $0 + $1.utf8.count + 8 })
    }

    /// Messages travel in one buffer; each takes 8 bytes beside its text.
    static func check(_ messages: [Message]) throws {
        try check("messages", messages.reduce(4) { $0 + $1.content.utf8.count + 8 })
    }

    /// The path of a file's URL.
    static func path(_ url: URL) throws -> String {
        guard url.isFileURL else {
            throw PinfoldError.InvalidOption(message: "url: its scheme is \(url.scheme ?? "absent"), but only files can be read")
        }
        return url.path
    }
}
