import ArgumentParser
import Console
import Diagnostics
import Images
import Layers
import LazyLayers
import Linux
import OCI
import Registry
import SystemPackage
import Transports
import Trees

struct CopyCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy an image from one place to another.",
        discussion: """
            Places are docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], dir:DIR, and \
            lamina:NAME or NAME for the store. Layers do not pass through the store. All platforms are copied unless \
            --platform names some, or the destination holds one only: then the one for this machine.

            EXAMPLES:
              lamina copy docker://debian:bookworm oci:debian:bookworm
              lamina copy app docker://registry.example/team/app:2
              lamina copy docker-archive:app.tar docker://registry.example/team/app:2
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup(title: "Options of the source") var sourceEnd: CopyEndOptions<SourceEnd>

    @OptionGroup(title: "Options of the destination") var destinationEnd: CopyEndOptions<DestinationEnd>

    @OptionGroup var form: CopyFormOptions

    @OptionGroup var scope: CopyScopeOptions

    @Option(
        name: .customLong("digestfile"),
        help: ArgumentHelp("Write the digest of the copied manifest or index to a file.", valueName: "file"))
    var digestFile: String?

    @Flag(name: .shortAndLong, help: "Print nothing.")
    var quiet = false

    @Argument(help: ArgumentHelp("The image to copy.", valueName: "source"))
    var source: String

    @Argument(help: ArgumentHelp("Where to copy it.", valueName: "destination"))
    var destination: String

    func run() async throws {
        try await global.run {
            let (from, to) = (try ImageLocation(parsing: source), try ImageLocation(parsing: destination))
            guard !to.isStandardOutput || !OutputTerminal.standardOutput.isTerminal else {
                throw CommandError(
                    .badOutput, "cowardly refusing to write an archive to a terminal",
                    hint: "Name a file, or redirect the output.")
            }
            var copy = try form.copy()
            try scope.apply(to: &copy)
            let ends = (try sourceEnd.access(from, registries), try destinationEnd.access(to, registries))
            let digest = try await Self.closing(ends.0, ends.1) {
                try await run(copy, from, to, ends.0, ends.1)
            }
            if let digestFile { try FileSystem.write(Array(digest.description.utf8), to: FilePath(digestFile)) }
            if !quiet, !to.isStandardOutput { say("Digest: \(digest)") }
        }
    }

    private func run(
        _ copy: ImageCopy, _ from: ImageLocation, _ to: ImageLocation, _ source: RegistryAccess,
        _ destination: RegistryAccess
    ) async throws -> Digest {
        let reader = try await offload {
            try ImageTransports.reader(from, source) { ImageTransfer(store: try global.store(), registry: source) }
        }
        let writer = try ImageTransports.writer(to, destination) {
            ImageTransfer(store: try global.store(), registry: destination)
        }
        let messages = CopyMessages(isQuiet: quiet)
        return try await NetworkNotice.heard(by: { messages.show(.waiting($0)) }) {
            try await copy.run(from: reader, to: writer) { messages.show($0) }.digest
        }
    }

    /// Runs `body` and closes the connections of both ends.
    private static func closing<Value: Sendable>(
        _ first: RegistryAccess, _ second: RegistryAccess, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await body()
            try await first.shutdown()
            try await second.shutdown()
            return value
        } catch {
            try? await first.shutdown()
            try? await second.shutdown()
            throw error
        }
    }
}

/// The form that a copy gives an image.
struct CopyFormOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The media types of the copy: oci or docker (v2s2).", valueName: "format"))
    var format: String?

    @Option(
        name: .customLong("dest-compress-format"),
        help: ArgumentHelp(
            "Compress all layers of the copy so: gzip, zstd, estargz or zstd:chunked.", valueName: "format"))
    var compression: String?

    @Option(
        name: .customLong("dest-compress-level"),
        help: ArgumentHelp("How hard to compress: gzip 0 to 9, zstd 1 to 22.", valueName: "level"))
    var level: Int?

    @Flag(name: .customLong("preserve-digests"), help: "Fail rather than change a digest.")
    var keepsDigests = false

    func validate() throws {
        if let format, Self.forms[format] == nil {
            throw ValidationError("unknown format '\(format)': use oci or docker")
        }
        guard let compression else {
            guard level == nil else { throw ValidationError("--dest-compress-level needs --dest-compress-format") }
            return
        }
        guard let kind = Self.kind(compression) else {
            throw ValidationError("unknown compression '\(compression)': use gzip, zstd, estargz or zstd:chunked")
        }
        let levels = kind == .gzip ? 0...9 : 1...22
        guard level.map(levels.contains) ?? true else {
            throw ValidationError("\(compression) has the levels \(levels.lowerBound) to \(levels.upperBound)")
        }
    }

    /// The compression of a format by its name; `nil` for none.
    private static func kind(_ name: String) -> Compression? {
        let kind = LazyFormat(rawValue: name)?.compression ?? Compression(rawValue: name)
        return kind == Compression.none ? nil : kind
    }

    private static let forms: [String: MediaForm] = ["oci": .oci, "docker": .docker, "v2s2": .docker]

    /// A copy in this form.
    func copy() throws -> ImageCopy {
        var copy = ImageCopy()
        copy.form = format.flatMap { Self.forms[$0] }
        copy.compression = compression.flatMap(Self.kind).map { CompressionOptions($0, level: level) }
        copy.format = compression.flatMap(LazyFormat.init(rawValue:))
        copy.keepsDigests = keepsDigests
        return copy
    }
}

/// Platforms as options name them: one or several, separated by commas.
enum PlatformList {
    static func platforms(_ texts: [String]) throws -> [Platform] {
        var platforms: [Platform] = []
        for text in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let platform = try Platform(parsing: String(text))
            if !platforms.contains(platform) { platforms.append(platform) }
        }
        return platforms
    }
}

extension ImageLocation {
    /// Whether an archive goes to the standard output.
    var isStandardOutput: Bool {
        switch self {
        case .ociArchive("-", _), .dockerArchive("-", _): true
        default: false
        }
    }
}
