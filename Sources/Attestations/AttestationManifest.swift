package import OCI

/// The manifest that ties statements to an image, and the blobs that it names.
///
/// Source: BuildKit, docs/attestations/attestation-storage.md.
package struct AttestationManifest: Hashable, Sendable {
    /// The manifest's document.
    package let bytes: [UInt8]
    /// The config and the statements.
    package let blobs: [[UInt8]]

    package static let artifactType = "application/vnd.docker.attestation.manifest.v1+json"
    package static let statementType = "application/vnd.in-toto+json"

    /// Puts statements about `image` together, as an OCI artifact or in the older form of an image.
    package init(_ statements: [Statement], about image: Descriptor, isArtifact: Bool) {
        let documents = statements.map { $0.json.encoded() }
        let config =
            isArtifact
            ? Array("{}".utf8) : Self.imageConfig(diffIDs: documents.map { Digest(of: $0).description })
        let layers = zip(statements, documents).map { statement, bytes in
            JSON.object(
                ("mediaType", .string(Self.statementType)), ("digest", .string(Digest(of: bytes).description)),
                ("size", .integer(bytes.count)),
                ("annotations", .object((Self.predicateKey, .string(statement.predicateType)))))
        }
        let subject = Descriptor(mediaType: image.mediaType, digest: image.digest, size: image.size)
        let configDescriptor = JSON.object(
            (
                "mediaType",
                .string(isArtifact ? "application/vnd.oci.empty.v1+json" : MediaType.ociConfig.rawValue)
            ), ("digest", .string(Digest(of: config).description)), ("size", .integer(config.count)),
            ("data", isArtifact ? .string("e30=") : nil))
        bytes =
            JSON.object(
                ("schemaVersion", .integer(2)), ("mediaType", .string(MediaType.ociManifest.rawValue)),
                ("artifactType", isArtifact ? .string(Self.artifactType) : nil), ("config", configDescriptor),
                ("layers", .array(layers)), ("subject", isArtifact ? subject.json : nil)
            ).encoded(.pretty(2))
        blobs = [config] + documents
    }

    /// Puts one statement together as an artifact that refers to `image`: its kind shows without it being fetched.
    package init(_ statement: Statement, referringTo image: Descriptor) {
        let document = statement.json.encoded()
        let annotations = JSON.object((Self.predicateKey, .string(statement.predicateType)))
        let subject = Descriptor(mediaType: image.mediaType, digest: image.digest, size: image.size)
        let config = Array("{}".utf8)
        bytes =
            JSON.object(
                ("schemaVersion", .integer(2)), ("mediaType", .string(MediaType.ociManifest.rawValue)),
                ("artifactType", .string(Self.statementType)),
                (
                    "config",
                    .object(
                        ("mediaType", .string("application/vnd.oci.empty.v1+json")),
                        ("digest", .string(Digest(of: config).description)), ("size", .integer(config.count)),
                        ("data", .string("e30=")))
                ),
                (
                    "layers",
                    .array([
                        .object(
                            ("mediaType", .string(Self.statementType)),
                            ("digest", .string(Digest(of: document).description)), ("size", .integer(document.count)),
                            ("annotations", annotations))
                    ])
                ), ("subject", subject.json), ("annotations", annotations)
            ).encoded(.pretty(2))
        blobs = [config, document]
    }

    /// The annotation that has the kind of a statement.
    package static let predicateKey = "in-toto.io/predicate-type"

    /// The descriptor of a manifest with one statement that refers to an image.
    package func descriptor(of statement: Statement) -> Descriptor {
        Descriptor(
            mediaType: .ociManifest, digest: Digest(of: bytes), size: Int64(bytes.count),
            annotations: [Self.predicateKey: statement.predicateType])
    }

    /// The entry of the index.
    package func descriptor(about image: Descriptor) -> Descriptor {
        Descriptor(
            mediaType: .ociManifest, digest: Digest(of: bytes), size: Int64(bytes.count),
            platform: Platform(os: "unknown", architecture: "unknown"),
            annotations: [
                "vnd.docker.reference.digest": image.digest.description,
                "vnd.docker.reference.type": "attestation-manifest",
            ])
    }

    private static func imageConfig(diffIDs: [String]) -> [UInt8] {
        JSON.object(
            ("architecture", .string("unknown")), ("os", .string("unknown")), ("config", .object(JSONObject())),
            (
                "rootfs",
                .object(("type", .string("layers")), ("diff_ids", .array(diffIDs.map(JSON.string))))
            )
        ).encoded()
    }
}
