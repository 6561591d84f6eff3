import Diagnostics
import Layers
import Linux
package import OCI
import Store
import Trees

extension LayerStorage {
    /// The layer on top of a stack in which files have the time of an epoch: all, or only those that are younger.
    ///
    /// The layer is written as an uncompressed blob, unless all have it or a former build has written it.
    package func setTimes(
        of stack: LayerStack, to epoch: Int64, onlyYounger: Bool
    ) throws -> DiffID {
        guard let diffID = stack.top?.diffID, let chain = stack.chainID else {
            throw ImagesError(.corrupt, "an image without layers has no layer to write")
        }
        let change = { (entry: inout LayerEntry) in
            entry.setTime(FileTime(seconds: epoch), onlyYounger: onlyYounger)
        }
        guard let list = try store.layers.fileList(diffID) else {
            throw ImagesError(
                .corrupt, "the store does not know the files of layer \(diffID)",
                hint: "Build the image again with --no-cache.")
        }
        let entries = try FileList(decoding: list).entries
        let isChanged = entries.contains { entry in
            var changed = entry
            change(&changed)
            return changed.modified != entry.modified
        }
        guard isChanged else {
            // A directory of it belongs to this stack, and the layer is going to be in another one.
            _ = try anyBlob(of: diffID, in: chain)
            return diffID
        }
        var hasher = KeyHasher("times/1")
        hasher.add(onlyYounger)
        hasher.add(diffID.description)
        hasher.add("\(epoch)")
        let key = hasher.finish()
        if let known = try store.cache.record(for: key)?.stack.top?.diffID { return known }
        let made = try writeBlob(expecting: entries.clampedSum(\.size)) { writer in
            try copy(diffID, chain, entries, to: &writer, change)
        }
        try store.cache.save(
            CacheRecord(
                key: key, kind: "times", description: "times of \(diffID) at \(epoch)",
                stack: LayerStack().adding(.init(diffID: made, created: nil)), createdAt: .now))
        return made
    }

    /// Copies a layer from a blob or else from its directory, with changes of the metadata of its members.
    private func copy(
        _ diffID: DiffID, _ chain: ChainID, _ entries: [LayerEntry], to writer: inout LayerWriter,
        _ change: (inout LayerEntry) -> Void
    ) throws {
        if let blob = try presentBlobs(of: diffID).first, let content = try store.content.open(blob.digest) {
            return try LayerRewriter.copy(DescriptorStream(content), to: &writer, change)
        }
        var changed = entries
        for index in changed.indices { change(&changed[index]) }
        try writer.add(changed, from: try directory(of: diffID, in: chain))
    }
}
