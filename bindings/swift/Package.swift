// swift-tools-version: 6.0
import Foundation
import PackageDescription

// The Rust library, in one of three shapes:
//
// - Apple platforms: an XCFramework, `PinfoldFFI.xcframework` beside this file (./build-xcframework makes it), or the
//   one at PINFOLD_XCFRAMEWORK_URL with its PINFOLD_XCFRAMEWORK_CHECKSUM;
// - in a checkout: what `cargo build --release --workspace` left in target/release, or in PINFOLD_LIBRARY_DIR;
// - elsewhere: an installed libpinfold_ffi (`make install`), which the linker finds by itself.
let environment = ProcessInfo.processInfo.environment
let here = Context.packageDirectory

let ffi: Target
var linking: [LinkerSetting] = []
if let url = environment["PINFOLD_XCFRAMEWORK_URL"], let checksum = environment["PINFOLD_XCFRAMEWORK_CHECKSUM"] {
    ffi = .binaryTarget(name: "PinfoldFFI", url: url, checksum: checksum)
    linking = ofStaticLibrary
} else if FileManager.default.fileExists(atPath: here + "/PinfoldFFI.xcframework") {
    ffi = .binaryTarget(name: "PinfoldFFI", path: "PinfoldFFI.xcframework")
    linking = ofStaticLibrary
} else {
    ffi = .systemLibrary(name: "PinfoldFFI", path: "Sources/PinfoldFFI/generated")
    linking = [.linkedLibrary("pinfold_ffi")]
    let folder = environment["PINFOLD_LIBRARY_DIR"] ?? here + "/../../target/release"
    if FileManager.default.fileExists(atPath: folder) {
        // The only flags that a package with a version may not have, so not where the library is installed.
        linking.append(.unsafeFlags(["-L", folder, "-Xlinker", "-rpath", "-Xlinker", folder]))
    }
}

/// What llama.cpp inside the XCFramework needs.
var ofStaticLibrary: [LinkerSetting] {
    [
        .linkedLibrary("c++"), .linkedFramework("Accelerate"), .linkedFramework("Foundation"),
        .linkedFramework("Metal"), .linkedFramework("MetalKit"),
    ]
}

let package = Package(
    name: "Pinfold",
    platforms: [.macOS(.v12), .iOS(.v15)],
    products: [.library(name: "Pinfold", targets: ["Pinfold"])],
    targets: [
        ffi,
        .target(name: "Pinfold", dependencies: ["PinfoldFFI"], linkerSettings: linking),
        .executableTarget(name: "pinfold-swift-bench", dependencies: ["Pinfold"], path: "Bench"),
        .testTarget(name: "PinfoldTests", dependencies: ["Pinfold"]),
    ],
    swiftLanguageModes: [.v6]
)
