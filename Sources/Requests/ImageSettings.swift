import Layers
package import LazyLayers
package import Linux
package import OCI

/// The form that an image gets in one output.
package struct ImageSettings: Hashable, Sendable {
    /// The names of this output, besides those of the build.
    package var names: [ImageReference] = []
    /// Whether the documents have OCI's media types, and not Docker's.
    package var usesOCITypes = true
    package var layers = LayerSettings()
    package var times = FileTimes.kept
    /// The epoch of this output; `nil` for that of the build.
    package var epoch: Int64?
    package var annotations: [ImageAnnotation] = []
    /// Whether attestations are written as OCI artifacts; `nil` for yes where the media types are OCI's.
    package var attestsWithArtifacts: Bool?
    package var naming = ImageNaming()

    package init() {}

    /// Whether the image is what the store keeps of every build: nothing has to be made for it.
    package var isPlain: Bool {
        usesOCITypes && layers == LayerSettings() && times == .kept
    }
}

/// The times of files in new layers.
package enum FileTimes: String, Hashable, Sendable {
    case kept
    /// Files that are younger than the epoch get its time.
    case clamped
    /// All files get the time of the epoch.
    case replaced
}

/// How layers are compressed.
package struct LayerSettings: Hashable, Sendable {
    /// The compression of new layers; `nil` for gzip, or any that a layer has already.
    package var compression: Compression?
    /// The format of layers that get the compression, if it is one that clients fetch in parts.
    package var format: LazyFormat?
    /// As ``CompressionOptions/level``.
    package var level: Int?
    /// The files that come first in layers in the format eStargz.
    package var prefetch: [PathBytes] = []
    /// Whether layers of the base image get the compression, too.
    package var isForced = false
    /// Whether new layers are compressed anew, so that their bytes do not depend on what the store has.
    package var isReproducible = false

    package init() {}
}

/// The names that an output gives its image in the store and in registries, besides tags.
package struct ImageNaming: Hashable, Sendable {
    /// Whether a push gives the image no tag.
    package var isPushedByDigest = false
    /// Whether the store knows the image by each name with its digest, too.
    package var isCanonical = false
    /// The name that an image gets with its digest.
    package var danglingPrefix: ImageReference?
    /// Whether it gets that name only if it has no other.
    package var danglesUnnamedOnly = false
    /// Whether no proof is wanted of the registries that it is pushed to, and plain HTTP will do.
    package var isInsecure = false

    package init() {}

    /// The names that an image gets with its digest, where it has these names.
    package func names(besides names: [ImageReference]) -> [ImageReference] {
        var all = isCanonical ? names : []
        if let danglingPrefix, names.isEmpty || !danglesUnnamedOnly { all.append(danglingPrefix) }
        return all
    }
}
