import Foundation
import Pinfold
import XCTest

final class CasesTests: XCTestCase {
    /// Runs all shared cases, each by blocking and by asynchronous calls, and writes target/cases/swift.tsv.
    func testSharedCases() async throws {
        // `file` models are named relative to the repository.
        XCTAssertTrue(FileManager.default.changeCurrentDirectoryPath(SharedCases.repository.path))
        let cases = try SharedCases.load()
        let pins = URL(fileURLWithPath: cases.pins)
        XCTAssertFalse(cases.case.isEmpty)
        var lines = ""
        for shared in cases.case {
            let (outcome, reason) = await verdict(shared, pins)
            lines += "\(shared.name)\t\(outcome)\t\(reason)\n"
            if outcome == "failed" { XCTFail("\(shared.name): \(reason)") }
        }
        let report = SharedCases.repository.appendingPathComponent("target/cases/swift.tsv")
        try lines.write(to: report, atomically: true, encoding: .utf8)
    }

    private func verdict(_ shared: SharedCase, _ pins: URL) async -> (String, String) {
        for way in Way.allCases {
            do {
                if shared.lock != nil {
                    try await PinRunner.run(shared, way, pins)
                } else if case .skipped(let reason) = try await CaseRunner.run(shared, way) { return ("skipped", reason) }
            } catch {
                let reason = "\(way.rawValue): \(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
                return ("failed", reason.replacingOccurrences(of: "\t", with: " "))
            }
        }
        return ("passed", "")
    }
}
