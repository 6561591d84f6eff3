package import Layers
package import LazyLayers
package import OCI

/// How a manifest is made for an image, where it is to be another than the one that the store would send.
package struct ManifestForm: Hashable, Sendable {
    /// Whether the documents have OCI's media types, and not Docker's.
    package var usesOCITypes = true
    /// The annotations of the manifest, which Docker's have not.
    package var annotations: [String: String] = [:]
    /// The annotations of the descriptors of new layers.
    package var layerAnnotations: [String: String] = [:]
    /// How many layers come from the base image. All above are new.
    package var baseCount = 0
    package var compression = CompressionOptions(.gzip)
    /// The format of layers that get the compression, if it is one that clients fetch in parts.
    package var format: LazyFormat?
    /// Whether a new layer gets the compression even if the store has it with another one.
    package var isExact = false
    /// Whether new layers are compressed even if the store has them so: at which level, and by which program, is not
    /// known of them.
    package var isFresh = false
    /// Whether layers of the base image get the compression as well.
    package var includesBase = false

    package init() {}

    /// How the layer at an index of the stack is found or made.
    package func choice(_ index: Int) -> BlobChoice {
        guard index < baseCount else {
            return BlobChoice(options: compression, isExact: isExact || isFresh, isFresh: isFresh, format: format)
        }
        return BlobChoice(options: compression, isExact: includesBase, format: includesBase ? format : nil)
    }

    /// The indices of the layers that cannot be handed on as they are elsewhere.
    package func madeIndices(of count: Int) -> [Int] {
        (0..<count).filter { index in
            let choice = choice(index)
            return choice.isExact || choice.isFresh
        }
    }

    /// The manifest with these layers.
    package func manifest(config: Descriptor, layers: [Descriptor]) -> Manifest {
        Manifest(
            mediaType: usesOCITypes ? .ociManifest : .dockerManifest,
            config: Descriptor(
                mediaType: usesOCITypes ? .ociConfig : .dockerConfig, digest: config.digest, size: config.size),
            layers: layers.enumerated().map { index, layer in
                // Docker's format has no annotations.
                let own = index >= baseCount ? layerAnnotations : [:]
                return layer.asLayer(
                    usingOCITypes: usesOCITypes,
                    annotations: usesOCITypes ? layer.annotations.merging(own, uniquingKeysWith: { $1 }) : [:])
            }, annotations: usesOCITypes ? annotations : [:])
    }
}

/// The blob that stands for a layer: which of the known ones is taken, and how one is made.
package struct BlobChoice: Hashable, Sendable {
    package var options: CompressionOptions
    /// Whether only this compression counts, and not any.
    package var isExact = false
    /// Whether one is made in any case.
    package var isFresh = false
    /// The format, if it is one that clients fetch in parts. Only blobs in it count then.
    package var format: LazyFormat?

    /// Gzip if there is nothing else.
    package static let any = BlobChoice(options: CompressionOptions(.gzip))

    package init(
        options: CompressionOptions, isExact: Bool = false, isFresh: Bool = false, format: LazyFormat? = nil
    ) {
        self.format = format
        self.options = options
        self.isExact = isExact
        self.isFresh = isFresh
    }
}

extension Descriptor {
    /// The same blob with OCI's name of its type, as an OCI manifest wants it.
    package var asOCILayer: Descriptor { asLayer(usingOCITypes: true, annotations: [:]) }

    /// The same blob with OCI's or Docker's name of its type. A blob that is no layer stays as it is.
    package func asLayer(usingOCITypes: Bool, annotations: [String: String]) -> Descriptor {
        guard let compression = mediaType.compression else { return self }
        return Descriptor(
            mediaType: usingOCITypes ? .ociLayer(compression) : .dockerLayer(compression), digest: digest, size: size,
            annotations: annotations)
    }
}
