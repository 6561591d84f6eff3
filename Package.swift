// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let quickCompilation = SwiftSetting.unsafeFlags(
    ["-Xfrontend", "-disable-sil-perf-optzns"], .when(configuration: .release))

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

/// A library target: every module may use `Diagnostics`, and nothing but what is named here.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A library whose code runs a few times in a command, and leaves work on files and bytes to others. Its speed does not
/// count, and without the optimizations of SIL it is compiled in half the time.
func coordination(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + [quickCompilation])
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies, swiftSettings: settings)
}

let package = Package(
    name: "lamina",
    products: [
        .executable(name: "lamina", targets: ["lamina"]),
        .library(name: "DockerfileSyntax", targets: ["DockerfileSyntax"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.1"),
    ],
    targets: [
        // Row 0
        .target(name: "CLinux"),
        .target(name: "CBuildInfo"),
        .target(name: "CPages"),
        // libcurl is loaded when it is first used, so it is not linked; its headers are libcurl4-openssl-dev's.
        .target(name: "CCurl"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CCompression", pkgConfig: "libisal libzstd liblzma",
            providers: [.apt(["libisal-dev", "libzstd-dev", "liblzma-dev", "libbz2-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        module("Diagnostics"),
        module("Asynchrony"),
        module("SQLite", ["CSQLite"]),
        // Row 1
        module("OCI", ["Diagnostics", "COpenSSL"]),
        module("Linux", ["Asynchrony", "Diagnostics", "CLinux", systemPackage]),
        module("DockerfileSyntax"),
        module("Graph", ["Diagnostics", "OCI"]),
        module("Attestations", ["OCI"]),
        // Row 2
        module("YAML", ["CYAML", "Diagnostics", "OCI"]),
        module("GoCompat", ["Diagnostics", "DockerfileSyntax", "OCI"]),
        module("Console", [systemPackage]),
        module("Frontend", ["Diagnostics", "DockerfileSyntax", "GoCompat", "Graph", "OCI"]),
        module("Solver", ["Asynchrony", "Diagnostics", "Graph"]),
        module("Sandbox", ["Diagnostics", "Linux", "CLinux", "CSeccomp", systemPackage]),
        module("Configuration", ["Diagnostics", "DockerfileSyntax", "OCI", "Linux", systemPackage]),
        module("Logins", ["Diagnostics", "OCI", "Linux", systemPackage]),
        module("Registry", ["Diagnostics", "OCI", "Linux", "Logins", systemPackage]),
        module("CurlTransport", ["Diagnostics", "Linux", "OCI", "Registry", "CCurl", systemPackage]),
        module("Store", ["Diagnostics", "OCI", "Linux", "SQLite", systemPackage]),
        module("Layers", ["Diagnostics", "OCI", "Linux", "CCompression", systemPackage]),
        module("LazyLayers", ["Diagnostics", "OCI", "Linux", "Layers", "CCompression"]),
        // Row 3a
        module("Trees", ["Diagnostics", "OCI", "Linux", "DockerfileSyntax", "Graph", "Layers", systemPackage]),
        // Row 3b
        coordination(
            "Requests",
            [
                "Attestations", "Diagnostics", "OCI", "Linux", "DockerfileSyntax", "GoCompat", "Graph", "Frontend",
                "Sandbox", "Registry",
                "Store", "Layers", "LazyLayers", "Trees", systemPackage,
            ]),
        module(
            "Transports",
            ["Diagnostics", "OCI", "Linux", "Registry", "Layers", "LazyLayers", "Trees", systemPackage]),
        module(
            "Images",
            [
                "Asynchrony", "CurlTransport", "Diagnostics", "OCI", "Linux", "Graph", "Solver", "Logins", "Registry",
                "Store", "Layers", "LazyLayers",
                "Trees", "Transports",
                systemPackage,
            ]),
        coordination(
            "Sync",
            ["Diagnostics", "OCI", "Linux", "Logins", "Registry", "Transports", "Images", "YAML", systemPackage]),
        coordination(
            "Progress",
            [
                "Console", "Diagnostics", "OCI", "Linux", "GoCompat", "Solver", "Store", "Transports", "Images",
            ]),
        // Row 3c
        module(
            "Execution",
            [
                "Asynchrony", "Diagnostics", "OCI", "Linux", "GoCompat", "Graph", "Frontend", "Sandbox", "Store",
                "Layers", "Trees",
                "Requests", "Images", systemPackage,
            ]),
        module(
            "Contexts",
            [
                "Asynchrony", "Diagnostics", "OCI", "Linux", "DockerfileSyntax", "Graph", "Frontend", "Solver",
                "Sandbox", "Registry",
                "Store", "Layers", "Trees", "Requests", "Transports", "Images", systemPackage,
            ]),
        module(
            "Caching",
            [
                "Diagnostics", "OCI", "Linux", "GoCompat", "Graph", "Solver", "Registry", "Store", "Layers", "Trees",
                "Requests", "Transports", "Images", systemPackage,
            ]),
        module(
            "Records",
            [
                "Diagnostics", "OCI", "Linux", "Graph", "Frontend", "Solver", "Store", "Layers", "Trees", systemPackage,
            ]),
        module(
            "Housekeeping",
            [
                "Caching", "Contexts", "Diagnostics", "Images", "Layers", "Linux", "OCI", "Records", "Solver", "Store",
                "Trees", systemPackage,
            ]),
        // Row 4
        coordination(
            "Engine",
            [
                "Asynchrony", "Attestations", "Diagnostics", "OCI", "Linux", "DockerfileSyntax", "GoCompat", "Graph",
                "Frontend", "Solver", "Sandbox",
                "Registry", "Store", "Layers", "LazyLayers", "Trees", "Requests", "Transports", "Images", "Contexts",
                "Execution", "Caching", "Records", "Inspector", "Packages", systemPackage,
            ]),
        coordination(
            "Editing",
            [
                "Attestations", "Diagnostics", "DockerfileSyntax", "Execution", "Images", "Layers", "Linux", "OCI",
                "Registry", "Requests",
                "Solver", "Store", "Trees", systemPackage,
            ]),
        coordination(
            "Containers",
            [
                "Diagnostics", "OCI", "Linux", "CLinux", "Graph", "Solver", "Sandbox", "Registry", "Store", "Layers",
                "Trees", "Requests", "Transports", "Images", "Execution", systemPackage,
            ]),
        module("Inspector", ["Diagnostics", "OCI", "Layers", "Store", "Linux", systemPackage]),
        module(
            "ForeignImages",
            [
                "Diagnostics", "OCI", "Linux", "Layers", "LazyLayers", "Inspector", "Registry", "Transports",
                systemPackage,
            ]),
        module("Packages", ["Attestations", "Diagnostics", "OCI", "Layers", "Linux", "Inspector"]),
        module(
            "Rechunking",
            [
                "Diagnostics", "Editing", "Execution", "Images", "Inspector", "Layers", "Linux", "OCI",
                "Packages", "Solver", "Store", "Trees",
            ]),
        module("Comparison", ["OCI", "Layers", "Linux", "Inspector", "Packages", systemPackage]),
        module("Advice", ["OCI", "Layers", "Linux", "Inspector"]),
        module(
            "Viewer",
            [
                "Asynchrony", "Comparison", "Configuration", "Console", "Diagnostics", "GoCompat", "Inspector",
                "Layers", "Linux", "OCI", "Packages", "Records", systemPackage,
            ]),
        .target(
            name: "Pages", dependencies: ["Console", "OCI", "Layers", "Linux", "Inspector", "Comparison"],
            resources: [
                "page.css", "page.js", "analysis.html", "analysis.js", "difference.html", "difference.js",
                "build.html", "build.css", "build.js",
            ].map { .embedInCode("Resources/\($0)") },
            swiftSettings: settings),
        // Row 5
        .executableTarget(
            name: "lamina",
            dependencies: [
                "Attestations", "Configuration", "Diagnostics", "OCI", "Linux", "DockerfileSyntax", "GoCompat",
                "Console", "Graph",
                "Solver", "Store", "Frontend", "Logins", "Registry", "Layers", "LazyLayers", "Trees", "Requests",
                "Transports",
                "Images",
                "Contexts", "Execution", "Containers", "Sandbox",
                "Records",
                "Engine",
                "ForeignImages", "Housekeeping", "Editing", "Inspector", "Sync", "Advice", "Comparison", "Packages",
                "Pages", "Progress", "Rechunking", "Viewer",
                "CBuildInfo",
                "CPages",
                systemPackage,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings + [quickCompilation]),
        // Tests
        tests("Asynchrony"),
        tests("SQLite"),
        tests("OCI", ["Diagnostics"]),
        tests("Attestations", ["OCI"]),
        tests("Linux", ["CLinux", "Diagnostics", systemPackage]),
        tests("DockerfileSyntax"),
        tests("GoCompat", ["Diagnostics", "OCI"]),
        tests("YAML", ["Diagnostics", "OCI"]),
        tests("Sync", ["Diagnostics", "Images", "OCI", "Registry", "Transports", systemPackage]),
        tests("Configuration", ["Diagnostics"]),
        tests("Console", [systemPackage]),
        tests("Frontend", ["Diagnostics", "DockerfileSyntax", "GoCompat", "Graph", "OCI"]),
        tests("Solver", ["Diagnostics", "Graph", "OCI"]),
        tests("Sandbox", ["CLinux", "Diagnostics", "Linux", systemPackage]),
        tests("Registry", ["CurlTransport", "Diagnostics", "Logins", "OCI"]),
        tests("Store", ["Diagnostics", "Linux", "OCI", "SQLite", systemPackage]),
        tests("Layers", ["Diagnostics", "Linux", "OCI", systemPackage]),
        tests("LazyLayers", ["Diagnostics", "Layers", "Linux", "OCI", systemPackage]),
        tests("Trees", ["DockerfileSyntax", "Graph", "Layers", "Linux", "OCI", systemPackage]),
        tests("Records", ["Diagnostics", "Layers", "Linux", "OCI", "Solver", "Store", "Trees", systemPackage]),
        tests(
            "Requests",
            [
                "Attestations", "Diagnostics", "Frontend", "LazyLayers", "Linux", "OCI", "Registry", "Sandbox", "Store",
                "Trees",
                systemPackage,
            ]),
        tests("Contexts", ["Diagnostics", "DockerfileSyntax", "Frontend", "Linux", "Trees", systemPackage]),
        tests("Transports", ["Diagnostics", "Layers", "Linux", "OCI", "Registry", systemPackage]),
        tests(
            "Containers",
            [
                "Diagnostics", "Images", "Linux", "OCI", "Requests", "Sandbox", "Store", systemPackage,
            ]),
        tests("Caching", ["Diagnostics", "Images", "OCI", "Trees", systemPackage]),
        tests(
            "Engine",
            [
                "Contexts", "Diagnostics", "DockerfileSyntax", "Execution", "Frontend", "Graph", "Images", "Layers",
                "Linux", "OCI", "Records", "Registry", "Requests", "Sandbox", "Solver", "Store", "Transports", "Trees",
                systemPackage,
            ]),
        tests("Inspector", ["Diagnostics", "Layers", "Linux", "OCI", "Store", systemPackage]),
        tests(
            "ForeignImages",
            [
                "Diagnostics", "Inspector", "Layers", "LazyLayers", "Linux", "OCI", "Registry", "Transports",
                systemPackage,
            ]),
        tests("Progress", ["Console", "Diagnostics", "Images", "OCI", "Solver", "Transports"]),
        tests("Pages", ["Comparison", "Inspector", "Layers", "Linux", "OCI", systemPackage]),
        tests("Advice", ["Inspector", "Layers", "Linux", "OCI", systemPackage]),
        tests("Comparison", ["Inspector", "Layers", "Linux", "OCI", systemPackage]),
        tests("Editing", ["Diagnostics", "Layers", "Linux", "OCI", "Trees", systemPackage]),
        tests("Rechunking"),
        tests(
            "Viewer",
            [
                "Comparison", "Configuration", "Console", "Diagnostics", "Inspector", "Layers", "Linux", "OCI",
                systemPackage,
            ]),
        tests("Packages", ["Diagnostics", "Inspector", "Layers", "Linux", "OCI", "SQLite", systemPackage]),
        tests(
            "lamina",
            [
                "Comparison", "Configuration", "Console", "Contexts", "Diagnostics", "DockerfileSyntax", "Engine",
                "Frontend", "GoCompat", "Images", "Inspector",
                "Layers", "Linux",
                "OCI", "Records", "Registry", "Requests", "Solver", "Transports", "Trees", systemPackage,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "IntegrationTests", dependencies: [systemPackage], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
