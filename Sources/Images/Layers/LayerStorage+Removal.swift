import Diagnostics
import Layers
package import Linux
package import OCI
import Store
import Trees

extension LayerStorage {
    /// The top layer of a stack without what it holds at and below `paths`; the layer itself if that is nothing.
    ///
    /// The layer is written as an uncompressed blob. Throws ``ImagesError`` `.unsupported` for a file that has another
    /// name outside of `paths`, which is a link to it in the layer.
    package func removing(_ paths: [PathBytes], fromTopOf stack: LayerStack) throws -> DiffID {
        guard let top = stack.top?.diffID, let chain = stack.chainID else { throw Self.noLayer }
        guard let list = try store.layers.fileList(top) else {
            throw ImagesError(
                .corrupt, "the store does not know the files of layer \(top)",
                hint: "Build the image again with --no-cache.")
        }
        let entries = try FileList(decoding: list).entries
        let isKept = { (entry: LayerEntry) in !paths.contains { entry.path.isWithin($0) } }
        let kept = entries.filter(isKept)
        guard kept.count < entries.count else { return top }
        if let link = kept.first(where: { link in
            link.kind == .hardLink && paths.contains { link.linkTarget.isWithin($0) }
        }) {
            throw ImagesError(
                .unsupported,
                "'/\(link.linkTarget.text)' is left out of the layer, but '/\(link.path.text)' is a link to it",
                hint: "Leave both out, or none.")
        }
        return try writeBlob(expecting: kept.clampedSum(\.size)) { writer in
            if let blob = try presentBlobs(of: top).first, let content = try store.content.open(blob.digest) {
                try LayerRewriter.copyMembers(of: DescriptorStream(content), to: &writer, keeping: isKept)
            } else {
                try writer.add(kept, from: try directory(of: top, in: chain))
            }
        }
    }
}
