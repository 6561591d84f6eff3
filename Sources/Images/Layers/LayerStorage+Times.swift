import Diagnostics
import Layers
import Linux
package import OCI
import Store
import Trees

extension LayerStorage {
    /// The layer at `index` of a stack with the times of its files clamped: those younger than an epoch get its time.
    ///
    /// The layer is written as an uncompressed blob, unless no file is younger or a former build has written it.
    package func clampTimes(of diffIDs: [DiffID], _ index: Int, to epoch: Int64) throws -> DiffID {
        let latest = FileTime(seconds: epoch)
        guard let list = try store.layers.fileList(diffIDs[index]) else {
            throw ImagesError(
                .corrupt, "the store does not know the files of layer \(diffIDs[index])",
                hint: "Build the image again with --no-cache.")
        }
        let entries = try FileList(decoding: list).entries
        guard entries.contains(where: { !$0.isMark && latest < $0.modified }) else { return diffIDs[index] }
        var hasher = KeyHasher("clamped-times/1")
        hasher.add(diffIDs[index].description)
        hasher.add("\(epoch)")
        let key = hasher.finish()
        if let known = try store.cache.record(for: key)?.diffIDs.first { return known }
        let clamped = try writeBlob(expecting: entries.clampedSum(\.size)) { writer in
            try copy(diffIDs, index, entries, to: &writer) { $0.clampTime(to: latest) }
        }
        try store.cache.save(
            CacheRecord(
                key: key, kind: "times", description: "times of \(diffIDs[index]) up to \(epoch)",
                result: clamped.description, diffIDs: [clamped], createdAt: .now))
        return clamped
    }

    /// Copies a layer from a blob or else from its directory, with changes of the metadata of its members.
    private func copy(
        _ diffIDs: [DiffID], _ index: Int, _ entries: [LayerEntry], to writer: inout LayerWriter,
        _ change: (inout LayerEntry) -> Void
    ) throws {
        if let blob = try presentBlobs(of: diffIDs[index]).first, let content = try store.content.open(blob.digest) {
            return try LayerRewriter.copy(DescriptorStream(content), to: &writer, change)
        }
        var changed = entries
        for index in changed.indices { change(&changed[index]) }
        try writer.add(changed, from: try directory(of: diffIDs, index))
    }
}
