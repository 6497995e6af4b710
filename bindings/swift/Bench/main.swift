// What a token costs across the boundary to Swift: microseconds a token of a generation, in the settings of
// core/benches/overhead.rs, which measures the same in Rust. The script `bench` beside this folder runs both in turn.
//
//     pinfold-swift-bench CHECKPOINT.gguf

import Foundation
import Pinfold

let tokens: UInt32 = 200
let rounds = 60

/// Microseconds a token of one generation, after the first token of a text.
func measure(_ model: Model, _ run: (Session, GenerateOptions) async throws -> Int) async throws -> Double {
    let session = try model.session()
    _ = try session.appendTokens(tokens: [1])
    try await session.prefill()
    let options = GenerateOptions(maxTokens: tokens)
    let start = DispatchTime.now().uptimeNanoseconds
    let count = try await run(session, options)
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1000 / Double(count)
}

func blocking(_ session: Session, _ options: GenerateOptions) throws -> Int {
    var count = 0
    for piece in try session.generate(options: options) {
        count += try piece.get().tokens.count
    }
    return count
}

func streamed(_ session: Session, _ options: GenerateOptions) async throws -> Int {
    var count = 0
    for try await chunk in session.stream(options) {
        count += chunk.tokens.count
    }
    return count
}

/// What the machine does when nothing disturbs it: the lower quartile.
func quartile(_ times: [Double]) -> String {
    String(format: "%.1f", times.sorted()[times.count / 4])
}

guard CommandLine.arguments.count == 2 else {
    print("usage: pinfold-swift-bench CHECKPOINT.gguf")
    exit(2)
}
let options = ModelOptions(contextTokens: 512, threads: 1, offload: Offload(layers: 0))
let model = try Model.load(path: CommandLine.arguments[1], options: options)
let script = try Model.scripted(answer: String(repeating: "x", count: Int(tokens)))

var times: [String: [Double]] = [:]
for _ in 0..<rounds {
    times["blocking", default: []].append(try await measure(model, blocking))
    times["streamed", default: []].append(try await measure(model, streamed))
    times["scripted blocking", default: []].append(try await measure(script, blocking))
    times["scripted streamed", default: []].append(try await measure(script, streamed))
}
print("swift: blocking \(quartile(times["blocking"]!)) us a token, AsyncThrowingStream \(quartile(times["streamed"]!))")
print(
    "swift, an engine that takes no time: blocking \(quartile(times["scripted blocking"]!)), "
        + "AsyncThrowingStream \(quartile(times["scripted streamed"]!))")
