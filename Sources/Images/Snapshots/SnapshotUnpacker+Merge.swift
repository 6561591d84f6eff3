import Layers
import Linux
package import OCI
import Store
package import Trees

extension SnapshotUnpacker {
    /// Makes one layer of several; the layer of a former call, if the store still has it.
    ///
    /// The layers are unpacked for it, with those below.
    package func merged(
        _ layers: Range<Int>, of diffIDs: [DiffID], in storage: LayerStorage
    ) async throws -> DiffID {
        let all = Array(diffIDs[..<layers.upperBound])
        let key = Self.mergeKey(layers, of: all)
        let known = try await offload { try storage.store.cache.record(for: key)?.stack.top?.diffID }
        if let known { return known }
        let top = try await files(of: all)
        let base = try await tree(of: LayerStack(ofImage: Array(all[..<layers.lowerBound])))
        return try await offload {
            let made = try storage.write(try MergedLayer.draft(of: top, on: base))
            try storage.store.cache.save(
                CacheRecord(
                    key: key, kind: "merge", description: "\(layers.count) layers as one",
                    stack: LayerStack().adding(.init(diffID: made, created: nil)), createdAt: .now))
            return made
        }
    }

    /// The files of layers, which are unpacked for it.
    package func files(of diffIDs: [DiffID]) async throws -> LayerFileTree {
        let stack = LayerStack(ofImage: diffIDs)
        let directories = try await all(of: stack).map(\.directory)
        return LayerFileTree(tree: try await tree(of: stack), directories: directories)
    }

    private static func mergeKey(_ layers: Range<Int>, of diffIDs: [DiffID]) -> Digest {
        var hasher = KeyHasher("merge/1")
        hasher.add(layers.lowerBound)
        hasher.add(diffIDs.map(\.description))
        return hasher.finish()
    }
}
