package import OCI

/// The provenance of an image that was made of another one without a build.
///
/// Source: https://slsa.dev/spec/v1.0/provenance.
package struct EditProvenance: Hashable, Sendable {
    /// Says what the parameters of the statement mean.
    package static let buildType = "https://lamina.dev/image-edit/v1"
    package static let predicateType = "https://slsa.dev/provenance/v1"

    private let command: String
    private let changes: [String]
    private let materials: [Provenance.Material]
    private let platform: Platform
    private let time: Timestamp
    private let version: String

    /// - Parameters:
    ///   - command: the command that made the image, such as `rebase`.
    ///   - changes: what it did, in order and in the words of the image's history.
    ///   - materials: the image that was changed, then the others that were used.
    ///   - platform: the platform of the image.
    ///   - time: the time of the change.
    ///   - version: the version of the program.
    package init(
        command: String, changes: [String], materials: [Provenance.Material], platform: Platform, time: Timestamp,
        version: String
    ) {
        self.command = command
        self.changes = changes
        self.materials = materials
        self.platform = platform
        self.time = time
        self.version = version
    }

    /// The predicate. The same change at the same time has the same one.
    package var json: JSON {
        let parameters = JSON.object(
            ("command", .string(command)), ("changes", .array(changes.map(JSON.string))),
            ("platform", .string(platform.description)))
        let definition = JSON.object(
            ("buildType", .string(Self.buildType)), ("externalParameters", parameters),
            ("resolvedDependencies", .array(materials.map(\.json))))
        let identifier = Provenance.identifier(of: Digest(of: definition.encoded() + Array(time.description.utf8)))
        return .object(
            ("buildDefinition", definition),
            (
                "runDetails",
                .object(
                    (
                        "builder",
                        .object(
                            ("id", .string("https://lamina.dev")),
                            ("version", .object(("lamina", .string(version)))))
                    ),
                    (
                        "metadata",
                        .object(
                            ("invocationId", .string(identifier)), ("startedOn", .string(time.description)),
                            ("finishedOn", .string(time.description)))
                    ))
            ))
    }
}

extension Provenance.Material {
    /// An image by its digest, with a name of it if it has one.
    package init(image name: ImageReference?, digest: Digest, platform: Platform) {
        let url =
            name.map { PackageURL(image: $0.with(tag: $0.tag, digest: digest), platform: platform) }
            ?? PackageURL(
                type: "oci", path: [String(digest.hex.prefix(12))],
                qualifiers: ["digest": digest.description, "platform": platform.description])
        self.init(uri: url.description, algorithm: "sha256", hex: digest.hex)
    }
}
