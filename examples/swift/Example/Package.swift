// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "pinfold-example",
    platforms: [.macOS(.v12), .iOS(.v15)],
    dependencies: [.package(path: "../../../bindings/swift")],
    targets: [
        .executableTarget(
            name: "pinfold-example",
            // A package at a path has the name of its folder.
            dependencies: [.product(name: "Pinfold", package: "swift")],
            path: "Sources"
        )
    ],
    swiftLanguageModes: [.v6]
)
