// Streams an answer of the embedded checkpoint, cancels one, and shows an error.
//
//     cargo build --release --workspace
//     swift run --package-path examples/swift/Example pinfold-example "play some jazz by miles davis"

import Foundation
import Pinfold

@main
struct Example {
    static func main() async throws {
        let request = CommandLine.arguments.dropFirst().first ?? "will it rain in Lisbon tomorrow"
        let model = try Model.embedded("intent")

        // An answer, piece by piece.
        let session = try model.session()
        try await session.append(chat: [.user(request)], of: model)
        for try await chunk in session.stream(onFinish: { print("\n\($0.reason) after \($0.generatedTokens) tokens") }) {
            // A stream flows only if what came is shown at once.
            FileHandle.standardOutput.write(Data(chunk.text.utf8))
        }

        // Cancelling the task stops the generation; the session can be used again.
        try session.rewind(length: 1)
        let task = Task { try await session.complete() }
        task.cancel()
        do {
            print(try await task.value.text)
        } catch is CancellationError {
            print("cancelled")
        }

        // An error says what to do.
        do {
            _ = try await Model.load(contentsOf: URL(fileURLWithPath: "no-such-checkpoint.gguf"))
        } catch let error as PinfoldError {
            print("error \(error.code): \(error.message)")
        }
    }
}
