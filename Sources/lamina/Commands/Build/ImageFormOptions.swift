import ArgumentParser
import Diagnostics
import LazyLayers
import Linux
import Requests
import SystemPackage

/// The form of the image in all outputs that do not say otherwise, as Buildah has the options.
struct ImageFormOptions: ParsableArguments {
    /// The media types of an image's documents.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case oci
        case docker
    }

    @Option(
        help: ArgumentHelp(
            "The media types of the image: oci, or docker, with which Podman keeps HEALTHCHECK, ONBUILD and SHELL.",
            valueName: "format"))
    var format: Format?

    @Option(
        name: .customLong("compression-format"),
        help: ArgumentHelp(
            "The compression of new layers: gzip, zstd, estargz, zstd:chunked or uncompressed.", valueName: "name"))
    var compression: String?

    @Option(
        name: .customLong("compression-level"), parsing: .unconditional,
        help: ArgumentHelp("The level of the compression.", valueName: "number"))
    var level: String?

    @Option(
        name: .customLong("estargz-prefetch"),
        help: ArgumentHelp(
            "Put the files of a list first in layers in the format estargz: one path a line.", valueName: "file"))
    var prefetch: String?

    @Flag(name: .customLong("force-compression"), help: "Compress layers of the base image, too.")
    var forcesCompression = false

    @Flag(
        name: .customLong("rewrite-timestamp"),
        help: "Give files of new layers that are younger than SOURCE_DATE_EPOCH its time.")
    var clampsTimes = false

    @Flag(
        name: .customLong("reproducible"),
        help:
            "Make the same image wherever it is built: --rewrite-timestamp with SOURCE_DATE_EPOCH or the commit's time."
    )
    var isReproducible = false

    @Option(
        name: .customLong("timestamp"), parsing: .unconditional,
        help: ArgumentHelp(
            "Give the image and all files of new layers one time, in seconds since 1970.", valueName: "seconds"))
    var timestamp: String?

    @Flag(name: .customLong("squash"), help: "Put the layers that the build makes into one.")
    var squashesNew = false

    @Flag(name: .customLong("squash-all"), help: "Put all layers into one, those of the base image, too.")
    var squashesAll = false

    var squash: Squash? { squashesAll ? .allLayers : squashesNew ? .newLayers : nil }

    /// Throws a `ValidationError` for a format that does not exist, and `RequestsError` for a compression.
    func settings() throws -> ImageSettings {
        var settings = ImageSettings()
        settings.usesOCITypes = try chosenFormat() == .oci
        if let compression { try settings.layers.setCompression(compression) }
        if let level { try settings.layers.setLevel(level) }
        settings.layers.isForced = forcesCompression
        if let prefetch { settings.layers.prefetch = try Self.paths(inListAt: FilePath(prefetch)) }
        if clampsTimes || isReproducible { settings.times = .clamped }
        settings.layers.isReproducible = isReproducible
        guard let timestamp else { return settings }
        guard !clampsTimes, !isReproducible else {
            throw ValidationError("--timestamp replaces times that the other option would clamp: give one of them")
        }
        settings.epoch = try Epoch.parse(timestamp, option: "--timestamp")
        settings.times = .replaced
        return settings
    }

    /// The largest list of files to prefetch, in bytes.
    private static let listLimit = 16 << 20

    private static func paths(inListAt path: FilePath) throws -> [PathBytes] {
        let list = try OwnedDescriptor.open(path, .readOnly).readAll(limit: listLimit)
        let paths = PrefetchPlan.paths(parsing: list)
        guard !paths.isEmpty else {
            throw ValidationError("the list of files to prefetch '\(path)' is empty")
        }
        return paths
    }

    private func chosenFormat() throws -> Format {
        if let format { return format }
        guard let name = GlobalOptions.environment["BUILDAH_FORMAT"], !name.isEmpty else { return .oci }
        guard let format = Format(rawValue: name) else {
            throw ValidationError("BUILDAH_FORMAT is '\(name)': use oci or docker")
        }
        return format
    }
}
