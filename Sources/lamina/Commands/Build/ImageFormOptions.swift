import ArgumentParser
import Diagnostics
import Requests

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
        help: ArgumentHelp("The compression of new layers: gzip, zstd or uncompressed.", valueName: "name"))
    var compression: String?

    @Option(
        name: .customLong("compression-level"), parsing: .unconditional,
        help: ArgumentHelp("The level of the compression.", valueName: "number"))
    var level: String?

    @Flag(name: .customLong("force-compression"), help: "Compress layers of the base image, too.")
    var forcesCompression = false

    @Flag(
        name: .customLong("rewrite-timestamp"),
        help: "Give files of new layers that are younger than SOURCE_DATE_EPOCH its time.")
    var clampsTimes = false

    /// Throws a `ValidationError` for a format that does not exist, and `RequestsError` for a compression.
    func settings() throws -> ImageSettings {
        var settings = ImageSettings()
        settings.usesOCITypes = try chosenFormat() == .oci
        if let compression { try settings.layers.setCompression(compression) }
        if let level { try settings.layers.setLevel(level) }
        settings.layers.isForced = forcesCompression
        settings.clampsTimes = clampsTimes
        return settings
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
