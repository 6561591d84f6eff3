import ArgumentParser
import Diagnostics
import Editing
import Engine
import Images
import Layers
import Linux
import OCI
import SystemPackage

struct AppendCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Make an image with one more layer, from a directory or an archive.",
        discussion: """
            Files of a directory belong to root, as with COPY. A tar archive becomes a layer as it is, with its owners and \
            its whiteouts.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: EditOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Put the files of a directory below this directory of the image.", valueName: "path"))
    var to: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(
        help: ArgumentHelp(
            "A directory, or a tar archive, compressed or not; - is the standard input.", valueName: "files"))
    var files: [String]

    func run() async throws {
        try await global.run {
            try await options.edit(image, by: Self.configuration.commandName, global, registries) { edited, editing in
                let destination = try Self.destination(to ?? "/")
                for path in files {
                    let name = path == "-" ? "-" : FilePath(path).lastComponent?.string ?? path
                    if path != "-", (try? Directory(opening: FilePath(path))) != nil {
                        let time = FileTime(seconds: edited.time.seconds)
                        let layer = try await editing.layer(
                            of: FilePath(path), at: destination, on: edited.config.diffIDs, time: time)
                        edited.append(layer, by: "append \(name) /\(destination.text)")
                    } else {
                        guard to == nil else {
                            throw EditingError(
                                .badValue, "--to is for directories, and '\(path)' is an archive",
                                hint: "Leave --to out: the names in an archive say where its files belong.")
                        }
                        let layer = try await offload { try editing.layer(ofArchive: ArchiveInput.open(path)) }
                        edited.append(layer, by: "append \(name)")
                    }
                }
            }
        }
    }

    private static func destination(_ text: String) throws -> PathBytes {
        let parts = PathBytes(text).components.filter { $0 != "." && !$0.isEmpty }
        guard !parts.contains("..") else {
            throw EditingError(.badValue, "the path '\(text)' leads upwards", hint: "Give a path without '..'.")
        }
        return parts.reduce(PathBytes("")) { $0.appending($1) }
    }
}

struct FlattenCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "flatten", abstract: "Make an image with all files in one layer.",
        discussion: "The config stays as it is. What layers have removed or replaced is gone.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: EditOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    func run() async throws {
        try await global.run {
            try await options.edit(image, by: Self.configuration.commandName, global, registries) { edited, editing in
                let layers = edited.config.diffIDs.indices
                guard layers.count > 1 else {
                    throw EditingError(.nothing, "the image has \(layers.count == 1 ? "one layer" : "no layers")")
                }
                let merged = try await editing.merged(layers, of: edited.config.diffIDs)
                try edited.squash(layers, into: merged, by: "flatten")
            }
        }
    }
}

struct RebaseCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebase", abstract: "Make an image whose own layers lie on another base image.",
        discussion: """
            The base that the image was built from is the one that --old-base names, else the one in the annotations or \
            labels org.opencontainers.image.base.name and .digest, else that in its provenance. Variables, labels and \
            settings that the image has from its base follow the new one. Nothing is run: what was built for the old base \
            must work on the new one.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: EditOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        name: .customLong("old-base"), parsing: .unconditional,
        help: ArgumentHelp("The image that it was built from.", valueName: "image"))
    var oldBase: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The new base image, which is fetched if it is not in the store.", valueName: "base"))
    var base: String

    func run() async throws {
        try await global.run {
            try await options.edit(image, by: Self.configuration.commandName, global, registries) { edited, editing in
                let platform = edited.config.platform
                let old = try await editing.base(of: image, edited, named: oldBase, for: platform)
                let new = try await editing.require(base, for: platform)
                try edited.rebase(
                    from: old.config, onto: new.config, by: "rebase from \(old.name) to \(new.name)")
                edited.setBase(name: new.reference?.description, digest: new.digest)
                for base in [old, new] { edited.use(base) }
            }
        }
    }
}
