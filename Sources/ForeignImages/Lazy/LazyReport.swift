package import OCI

/// A client that fetches layers in parts, if it can.
package enum LazyClient: String, Hashable, Sendable, CaseIterable {
    case stargz = "stargz-snapshotter"
    case containers = "Podman, CRI-O"
    case soci = "soci-snapshotter"
}

/// The way in which a client gets a layer.
package struct LazyVerdict: Hashable, Sendable {
    package enum Fetch: String, Hashable, Sendable {
        case parts = "in parts"
        case whole
        /// The client refuses the layer.
        case failure = "fails"
        case unknown
    }

    package let client: LazyClient
    package let fetch: Fetch
    /// Why it does so, or what it depends on.
    package let reason: String

    init(_ client: LazyClient, _ fetch: Fetch, _ reason: String) {
        self.client = client
        self.fetch = fetch
        self.reason = reason
    }
}

/// The ways in which clients get the layers of an image.
package struct LazyReport: Hashable, Sendable {
    package struct Layer: Hashable, Sendable {
        package let blob: Descriptor
        /// The format of its bytes, by its last ones where these tell it.
        package let format: String
        /// One for each client.
        package let verdicts: [LazyVerdict]
    }

    package let manifest: Descriptor
    package let layers: [Layer]

    package var json: JSON {
        .array(
            layers.map { layer in
                .object(
                    ("digest", .string(layer.blob.digest.description)), ("size", .integer(layer.blob.size)),
                    ("mediaType", .string(layer.blob.mediaType.rawValue)), ("format", .string(layer.format)),
                    (
                        "clients",
                        .array(
                            layer.verdicts.map { verdict in
                                .object(
                                    ("client", .string(verdict.client.rawValue)),
                                    ("fetched", .string(verdict.fetch.rawValue)), ("reason", .string(verdict.reason)))
                            })
                    ))
            })
    }
}
