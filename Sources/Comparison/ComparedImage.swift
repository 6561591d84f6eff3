package import Inspector
import OCI

/// An image to compare, with what is known about it besides its files.
package struct ComparedImage: Sendable {
    package let name: String
    package let image: InspectedImage
    /// By layer, as far as the build is recorded.
    package let origins: [LayerOrigin?]

    package init(name: String, image: InspectedImage, origins: [LayerOrigin?] = []) {
        self.name = name
        self.image = image
        self.origins = image.analysis.layers.indices.map { origins.indices.contains($0) ? origins[$0] : nil }
    }

    /// Bottom first.
    var diffIDs: [DiffID] { image.analysis.layers.map(\.diffID) }

    var lastLayer: Int { image.tree.layerCount - 1 }
}
