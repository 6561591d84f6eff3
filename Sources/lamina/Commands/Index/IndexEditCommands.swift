import ArgumentParser
import Diagnostics
import Images
import OCI
import Transports

/// The index that a command changes where it is, and the way to it.
struct IndexEditing: ParsableArguments {
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Argument(help: ArgumentHelp("The index.", valueName: "index"))
    var name: String

    /// Reads the index, lets `body` change it, and writes it to its place.
    func run(
        _ global: GlobalOptions, _ body: @escaping @Sendable (inout IndexAssembly, IndexPlaces) async throws -> Void
    ) async throws {
        try await global.run {
            let target = try ImageLocation(parsing: name)
            try await global.withIndexes(registries, login, for: target) { places in
                var assembly = IndexAssembly()
                try await assembly.begin(with: try await places.target(target))
                try await body(&assembly, places)
                let written = try await places.write(assembly, to: target, CopyMessages(isQuiet: false))
                say(IndexTarget.line(target, written, assembly))
            }
        }
    }
}

struct IndexAddCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add images to an index, with all that is attested of them.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var index: IndexEditing

    @OptionGroup var changes: IndexChangeOptions

    @Flag(help: "Replace images for the same platforms.")
    var replace = false

    @Argument(help: ArgumentHelp("Images or indexes.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await index.run(global) { assembly, places in
            let before = Set(assembly.index.entries.map(\.descriptor.digest))
            for image in images { try await assembly.add(try await places.source(image), replaces: replace) }
            if changes.changesManifests {
                for entry in assembly.index.entries
                where !before.contains(entry.descriptor.digest) && !entry.isAttestation {
                    try assembly.change(
                        .digest(entry.descriptor.digest), annotations: changes.ofManifest, platform: changes.platform)
                }
            }
            assembly.annotate(changes.ofIndex)
        }
    }
}

struct IndexRemoveCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove images from an index, with all that is attested of them.",
        aliases: ["rm"])

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var index: IndexEditing

    @Argument(help: ArgumentHelp("Digests or platforms.", valueName: "digest|os/arch"))
    var manifests: [String]

    func run() async throws {
        try await index.run(global) { assembly, _ in
            for text in manifests {
                guard let selection = IndexSelection(text) else {
                    throw TransportsError(
                        .badName, "'\(text)' is neither a digest nor a platform",
                        hint: "Write it as sha256:… or os/arch.")
                }
                try assembly.remove(selection)
            }
        }
    }
}

struct IndexAnnotateCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate", abstract: "Change what an index says about an image, or about itself.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var index: IndexEditing

    @OptionGroup var changes: IndexChangeOptions

    @Argument(help: ArgumentHelp("A digest, a platform, or the name of the image.", valueName: "manifest"))
    var manifest: String?

    func validate() throws {
        guard changes.changesManifests || !changes.ofIndex.isEmpty else {
            throw ValidationError("name something to change, such as --annotation or --variant")
        }
        guard manifest != nil || !changes.changesManifests else {
            throw ValidationError("name the manifest in the index, or write --annotation index:KEY=VALUE")
        }
    }

    func run() async throws {
        try await index.run(global) { assembly, places in
            if let manifest {
                let selection: IndexSelection =
                    if let known = IndexSelection(manifest) { known } else {
                        .digest(try await places.source(manifest).root().descriptor.digest)
                    }
                try assembly.change(selection, annotations: changes.ofManifest, platform: changes.platform)
            }
            assembly.annotate(changes.ofIndex)
        }
    }
}
