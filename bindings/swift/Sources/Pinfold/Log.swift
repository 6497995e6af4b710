/// A line of the log. It never holds text of the user.
public struct LogLine: Sendable, Equatable, Hashable {
    /// How much it matters.
    public var level: LogLevel
    /// The part that speaks, e.g. `pinfold::llama`.
    public var target: String
    /// What it says.
    public var message: String
}

/// Where the log goes: nowhere, until an app asks for it.
public enum Log {
    /// Sends log lines of a level and above to a closure, in the place of the closure before.
    ///
    /// - Parameters:
    ///   - level: The least level.
    ///   - sink: Called on the thread that logs, so it must be quick and must not call Pinfold.
    /// - Throws: ``PinfoldError``: `unsupported` in a program whose Rust part collects the log itself.
    public static func send(_ level: LogLevel = .info, to sink: @escaping @Sendable (LogLine) -> Void) throws {
        try setLogSink(sink: Sink(sink), level: level)
    }

    /// Makes the log silent again.
    public static func stop() {
        // Only a sink can be refused.
        try? setLogSink(sink: nil, level: .error)
    }
}

private final class Sink: LogSink {
    private let sink: @Sendable (LogLine) -> Void

    init(_ sink: @escaping @Sendable (LogLine) -> Void) {
        self.sink = sink
    }

    func log(level: LogLevel, target: String, message: String) {
        sink(LogLine(level: level, target: target, message: message))
    }
}

extension LogLevel: Comparable {
    /// By how much lines matter: `error` is the least, as it lets the fewest lines through.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .error: 0
        case .warn: 1
        case .info: 2
        case .debug: 3
        case .trace: 4
        }
    }
}
