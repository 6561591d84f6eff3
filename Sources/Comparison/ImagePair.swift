package import Inspector
import Layers
import Linux
import OCI
import SystemPackage

/// The files of two finished images in one tree: those of the old one are its lower layer, those of the new one its upper.
package struct ImagePair: Sendable {
    /// An image of these two layers, to be shown and compared as one. Its analysis means nothing.
    package let combined: InspectedImage
    package let old: InspectedImage
    package let new: InspectedImage

    package init(old: InspectedImage, new: InspectedImage) {
        self.old = old
        self.new = new
        let lists = [Self.files(of: old), Self.files(of: new, over: old)].map(PackedFileList.init)
        var config = ImageConfig(platform: new.config.platform)
        config.diffIDs = lists.map { DiffID(Digest(of: $0.encoded)) }
        let layers = zip(config.diffIDs, lists).map { AnalyzedLayerInput(diffID: $0, files: $1) }
        combined = InspectedImage(config: config, layers: layers, contents: NoContents())
    }

    /// The image that a layer of the combined one stands for.
    package func image(of layer: Int) -> InspectedImage { layer == 0 ? old : new }

    /// The place of the bytes of a file of the combined image, in the image that it is of.
    package func place(of node: Int, in layer: Int) -> ContentPlace? {
        let image = image(of: layer)
        guard let own = image.tree.node(at: combined.tree.path(of: node)),
            let file = image.tree.file(at: own, after: image.tree.layerCount - 1)
        else { return nil }
        return image.place(of: file)
    }

    /// All files of a finished image as one list, with marks for the files of the image below that it lacks.
    private static func files(of image: InspectedImage, over below: InspectedImage? = nil) -> FileList {
        var entries: [LayerEntry] = []
        for (node, file) in finished(image) { entries.append(entry(of: file, at: node, in: image)) }
        if let below {
            let last = image.tree.layerCount - 1
            for (node, _) in finished(below) {
                let path = below.tree.path(of: node)
                if let own = image.tree.node(at: path), image.tree.file(at: own, after: last) != nil { continue }
                entries.append(LayerEntry(path: path, kind: .whiteout))
            }
        }
        return FileList(entries, tarSize: 0)
    }

    private static func finished(_ image: InspectedImage) -> [(node: Int, file: TreeFile)] {
        let last = image.tree.layerCount - 1
        return (1..<max(1, image.tree.count)).compactMap { node in
            image.tree.file(at: node, after: last).map { (node, $0) }
        }
    }

    /// The file at a node. A hard link whose other name the image does not have any more is the file itself.
    private static func entry(of file: TreeFile, at node: Int, in image: InspectedImage) -> LayerEntry {
        var entry = image.tree.entry(of: file, at: node)
        guard entry.kind == .hardLink, let place = image.place(of: file) else { return entry }
        let other = image.entry(at: place)
        let last = image.tree.layerCount - 1
        let isThere = image.tree.node(at: other.path).flatMap { image.tree.file(at: $0, after: last) }
            .map { $0.layer == place.layer && $0.entry == place.entry }
        if isThere == true {
            entry.linkTarget = other.path
        } else {
            entry = other
            entry.path = image.tree.path(of: node)
        }
        return entry
    }

    private struct NoContents: LayerContents {
        func directory(of layer: Int) throws -> FilePath? { nil }

        func blob(of layer: Int) throws -> (any ByteStream)? { nil }
    }
}
