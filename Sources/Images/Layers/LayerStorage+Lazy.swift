import Diagnostics
package import Layers
import LazyLayers
package import Linux
package import OCI
import Store
import Transports
import Trees

/// Layers in formats that clients fetch in parts.
extension LayerStorage {
    /// The layer on top of a stack in the format eStargz, with these files in front. It is another layer, as its archive
    /// has a table of contents.
    ///
    /// A blob that a former build has made is taken, if it is there.
    package func makeEStargz(
        of stack: LayerStack, prefetching paths: [PathBytes], level: Int?
    ) throws -> DiffID {
        guard let layer = stack.top?.diffID, let chain = stack.chainID else { throw Self.noLayer }
        let options = CompressionOptions(.gzip, level: level)
        var hasher = KeyHasher("estargz/1")
        hasher.add(layer.description)
        // The table has the places of compressed files.
        hasher.add(options.program)
        hasher.add("\(options.deflateLevel)")
        for path in paths { hasher.add(path.text) }
        let key = hasher.finish()
        if let known = try store.cache.record(for: key)?.stack.top?.diffID,
            try lazyBlob(of: known, as: .estargz) != nil
        {
            return known
        }
        let archive = try plainArchive(of: layer, in: chain)
        let ingest = try store.content.begin()
        let (blob, made) = try EStargzLayer.write(archive, prefetching: paths, level: level, to: ingest.sink)
        try ingest.commit(as: blob.digest, size: blob.size)
        try self.index(Descriptor(mediaType: blob.mediaType, digest: blob.digest, size: blob.size), expecting: made)
        try store.cache.save(
            CacheRecord(
                key: key, kind: "estargz", description: "\(layer) as eStargz",
                stack: LayerStack().adding(.init(diffID: made, created: nil)), createdAt: .now))
        return made
    }

    /// The blob of a layer that is in a format, with its annotations; `nil` when the store has none.
    func lazyBlob(of diffID: DiffID, as format: LazyFormat) throws -> Descriptor? {
        let size = try store.layers.layer(diffID)?.tarSize ?? 0
        for blob in try presentBlobs(of: diffID) where blob.mediaType.compression == format.compression {
            guard let file = try store.content.open(blob.digest),
                let lazy = try LazyBlob(SharedDescriptor(file), archiveSize: size), lazy.format == format
            else { continue }
            return Descriptor(
                mediaType: blob.mediaType, digest: blob.digest, size: blob.size, annotations: lazy.annotations)
        }
        return nil
    }

    /// The members of layers of a stack. Throws ``ImagesError`` `.corrupt` when that is not known.
    package func files(of diffIDs: [DiffID], _ indices: [Int]) throws -> [[LayerEntry]] {
        try indices.map { try members(of: diffIDs[$0]) }
    }

    /// The archive of a layer without compression, in a file: a blob of the store, or a copy that is gone with its user.
    ///
    /// Throws ``ImagesError`` `.corrupt` when the store has not the layer any more.
    func plainArchive(of layer: DiffID, in chain: ChainID) throws -> SharedDescriptor {
        let blobs = try presentBlobs(of: layer)
        if let plain = blobs.first(where: { $0.mediaType.compression == Compression.none }),
            let file = try store.content.open(plain.digest)
        {
            return SharedDescriptor(file)
        }
        let spool = try SpooledFile()
        _ = try compress(layer, in: chain, as: BlobChoice(options: CompressionOptions(.none))) {
            try spool.write($0)
        }
        return spool.descriptor
    }
}
