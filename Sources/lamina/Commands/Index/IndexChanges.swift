import ArgumentParser
import OCI

/// Changes of the entry for a manifest in an index, as options of commands.
struct IndexChangeOptions: ParsableArguments {
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set an annotation; index:KEY=VALUE is one of the index itself.", valueName: "key=value"))
    var annotation: [String] = []

    @Option(help: ArgumentHelp("The operating system.", valueName: "os"))
    var os: String?

    @Option(help: ArgumentHelp("The processor.", valueName: "arch"))
    var arch: String?

    @Option(help: ArgumentHelp("The variant of the processor.", valueName: "variant"))
    var variant: String?

    @Option(name: .customLong("os-version"), help: ArgumentHelp("The version of the system.", valueName: "version"))
    var systemVersion: String?

    @Option(
        name: .customLong("os-features"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Features of the system.", valueName: "feature[,feature]"))
    var systemFeatures: [String] = []

    private static let indexPrefix = "index:"

    func validate() throws {
        for text in annotation where !text.dropFirst().contains("=") {
            throw ValidationError("'\(text)' is no annotation: write it as KEY=VALUE")
        }
    }

    /// The annotations of the index itself.
    var ofIndex: [(String, String)] {
        annotation.filter { $0.hasPrefix(Self.indexPrefix) }.map {
            Self.pair(String($0.dropFirst(Self.indexPrefix.count)))
        }
    }

    /// The annotations of manifests.
    var ofManifest: [(String, String)] {
        annotation.filter { !$0.hasPrefix(Self.indexPrefix) }.map { Self.pair($0) }
    }

    private static func pair(_ text: String) -> (String, String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }

    /// The members of the platform, in Docker's order.
    var platform: [(String, JSON)] {
        let texts = [("architecture", arch), ("os", os), ("os.version", systemVersion), ("variant", variant)]
        let features = systemFeatures.flatMap { $0.split(separator: ",").map { JSON.string(String($0)) } }
        return texts.compactMap { key, value in value.map { (key, .string($0)) } }
            + (features.isEmpty ? [] : [("os.features", .array(features))])
    }

    var changesManifests: Bool { !ofManifest.isEmpty || !platform.isEmpty }
}
