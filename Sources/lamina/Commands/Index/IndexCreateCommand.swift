import ArgumentParser
import Diagnostics
import Images
import OCI
import SystemPackage
import Transports
import Trees

struct IndexCreateCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an index of images, or merge indexes.",
        discussion: """
            Images and indexes are named as in 'lamina copy'; a plain name is an image of the store, or if there is none, one \
            in its registry. With -t, all arguments are images, and the index is written to a registry.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A name of the index in a registry, in place of the first argument.", valueName: "name"))
    var tag: [String] = []

    @Flag(
        name: [.customLong("append"), .customLong("amend"), .customShort("a")],
        help: "Keep the images of the index that is there.")
    var append = false

    @Flag(help: "Replace an index even if platforms are lost.")
    var force = false

    @Flag(name: .customLong("dry-run"), help: "Print the index, and write nothing.")
    var dryRun = false

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set an annotation of the index.", valueName: "[index:]key=value"))
    var annotation: [String] = []

    @Option(
        name: .customLong("digestfile"),
        help: ArgumentHelp("Write the digest of the index to a file.", valueName: "file"))
    var digestFile: String?

    @Flag(name: .shortAndLong, help: "Print nothing.")
    var quiet = false

    @Argument(help: ArgumentHelp("The index, unless -t names it, and the images.", valueName: "index image"))
    var names: [String]

    func validate() throws {
        guard tag.isEmpty ? names.count > 1 : !names.isEmpty else {
            throw ValidationError("name at least one image for the index")
        }
        for text in annotation where !text.dropFirst().contains("=") {
            throw ValidationError("'\(text)' is no annotation: write it as KEY=VALUE")
        }
    }

    private var annotations: [(String, String)] {
        annotation.map { text in
            let prefix = "index:"
            let plain = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
            let parts = plain.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    func run() async throws {
        try await global.run {
            let targets =
                try tag.isEmpty
                ? [ImageLocation(parsing: names[0])] : tag.map(IndexTarget.registry)
            let sources = tag.isEmpty ? Array(names.dropFirst()) : names
            let messages = CopyMessages(isQuiet: quiet)
            try await global.withIndexes(registries, login, for: targets[0]) { places in
                let assembly = try await assemble(sources, for: targets, places)
                if dryRun {
                    _ = try assembly.reader()
                    return say(String(decoding: assembly.index.encoded(), as: UTF8.self))
                }
                var digest: Digest?
                for target in targets {
                    let written = try await places.write(assembly, to: target, messages)
                    digest = written.digest
                    if !quiet { say(IndexTarget.line(target, written, assembly)) }
                }
                if let digestFile, let digest {
                    try FileSystem.write(Array(digest.description.utf8), to: FilePath(digestFile))
                }
            }
        }
    }

    private func assemble(
        _ sources: [String], for targets: [ImageLocation], _ places: IndexPlaces
    ) async throws -> IndexAssembly {
        var assembly = IndexAssembly()
        if append, let target = targets.first, try await places.former(target) != nil {
            try await assembly.begin(with: try await places.reader(target))
        }
        for source in sources { try await assembly.add(try await places.source(source), replaces: append) }
        assembly.annotate(annotations)
        guard !force else { return assembly }
        for target in targets {
            if let former = try await places.former(target) { try assembly.check(against: former) }
        }
        return assembly
    }
}

/// The place of an index that a command writes.
enum IndexTarget {
    /// The place of a name in a registry, with or without `docker://`.
    static func registry(_ name: String) throws -> ImageLocation { .registry(try RemoteName.image(name).reference) }

    /// The line of output for an index that was written.
    static func line(_ place: ImageLocation, _ written: Descriptor, _ assembly: IndexAssembly) -> String {
        let platforms = assembly.platforms.map(\.description).joined(separator: ", ")
        return "\(place): digest: \(written.digest) (\(platforms))"
    }
}
