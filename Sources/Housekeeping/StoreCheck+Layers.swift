import Diagnostics
import Images
import Layers
import Linux
import OCI
import Solver
import Store

extension StoreCheck {
    /// Reads all blobs.
    ///
    /// - Returns: those that are not what their names say.
    func checkBlobs() throws -> [(digest: Digest, problem: String)] {
        var broken: [(Digest, String)] = []
        for (digest, size) in try store.content.all() {
            result.blobs += 1
            if let problem = try problem(of: digest, size: size) {
                broken.append((digest, problem))
                if (try? OwnedDescriptor.open(store.content.path(of: digest))) != nil { damagedBlobs.insert(digest) }
            } else {
                goodBlobs.insert(digest)
            }
        }
        return broken
    }

    private func problem(of digest: Digest, size: Int64) throws -> String? {
        let file: OwnedDescriptor
        do { file = try OwnedDescriptor.open(store.content.path(of: digest)) } catch {
            return (error as? LinuxError)?.code == .notFound ? "is missing" : "cannot be read: \(describe(error))"
        }
        let actual = try file.status().size
        guard actual == size else { return "has \(actual) bytes, not \(size)" }
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        do {
            while true {
                let count = try file.read(into: &buffer)
                if count == 0 { break }
                hasher.update(buffer.span.extracting(..<count))
            }
        } catch {
            return "cannot be read: \(describe(error))"
        }
        let found = hasher.finish()
        return found == digest ? nil : "holds other bytes, of the digest \(found)"
    }

    /// Compares the lists of files with what the database says of them.
    func checkLayers() throws {
        var defects: [(diffID: DiffID, problem: String)] = []
        for layer in try store.layers.all() {
            result.layers += 1
            guard let bytes = try store.layers.fileList(layer.diffID) else {
                defects.append((layer.diffID, "has lost the list of its files"))
                continue
            }
            guard let list = try? FileList(decoding: bytes) else {
                defects.append((layer.diffID, "has a list of files that cannot be read"))
                continue
            }
            guard list.contentSize == layer.contentSize, list.fileCount == layer.fileCount else {
                let problem =
                    "is said to have \(layer.fileCount) files with \(layer.contentSize) bytes, but its list has "
                    + "\(list.fileCount) with \(list.contentSize)"
                defects.append((layer.diffID, problem))
                continue
            }
            lists[layer.diffID] = list
        }
        // A list is made anew from a directory with the help of the lists of the layers below.
        for (diffID, problem) in defects { try found("layer \(diffID)", problem) { try relist(diffID) } }
    }

    /// Makes the list of a layer's files anew: from a blob, or else from a directory that gives the same digest.
    private func relist(_ diffID: DiffID) throws -> StoreDefect.Remedy {
        for blob in try store.layers.blobs(of: diffID) where goodBlobs.contains(blob.digest) {
            guard let file = try store.content.open(blob.digest),
                let summary = try? LayerReader.readFileList(from: DescriptorStream(file)), summary.diffID == diffID
            else { continue }
            return try relist(diffID, as: summary.fileList, from: "the blob \(blob.digest)")
        }
        var hasSnapshot = false
        for (chain, stack) in stacks where stack.diffID == diffID {
            for snapshot in try store.snapshots.snapshots(of: chain) {
                hasSnapshot = true
                guard let written = try layer(of: snapshot, stack, to: LayerWriter()), written.diffID == diffID
                else { continue }
                return try relist(diffID, as: written.files.decoded(), from: "snapshot \(snapshot.number)")
            }
        }
        if hasSnapshot {
            return .beyondRepair("its directory gives another layer; build or pull again what needs it")
        }
        try store.layers.remove(diffID)
        return .done("forgot the layer, which is not here")
    }

    private func relist(_ diffID: DiffID, as list: FileList, from source: String) throws -> StoreDefect.Remedy {
        try store.layers.remove(diffID)
        try storage.record(diffID, list)
        lists[diffID] = list
        return .done("listed again from \(source)")
    }

    /// Compares the digests of unpacked layer blobs with the layers they are said to hold.
    func checkLayerBlobs() throws {
        for (diffID, blob) in try store.layers.allBlobs() where goodBlobs.contains(blob.digest) {
            let held: DiffID?
            if blob.mediaType.compression == Compression.none {
                held = DiffID(blob.digest)
            } else {
                held = try? self.diffID(of: blob)
            }
            if held == diffID { continue }
            let problem = held.map { "holds the layer \($0)" } ?? "cannot be unpacked"
            goodBlobs.remove(blob.digest)
            try found("blob \(blob.digest)", "\(problem), and not \(diffID)") {
                try store.layers.removeBlob(blob.digest)
                return .done("it is no longer taken for that layer")
            }
        }
    }

    private func diffID(of blob: Descriptor) throws -> DiffID? {
        guard let file = try store.content.open(blob.digest) else { return nil }
        let stream = try DecompressedStream(DescriptorStream(file))
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = try stream.read(into: &buffer)
            if count == 0 { break }
            hasher.update(buffer.span.extracting(..<count))
        }
        return DiffID(hasher.finish())
    }

    /// Reports the broken blobs. Those that are plain archives of layers can be written again from a directory.
    func restore(_ broken: [(digest: Digest, problem: String)]) throws {
        for (digest, problem) in broken { try found("blob \(digest)", problem) { try repair(digest) } }
    }

    /// Removes a broken blob, unless it is all that an image has of something: what is left of it may be of use.
    private func repair(_ digest: Digest) throws -> StoreDefect.Remedy {
        let layer = try store.layers.diffID(ofBlob: digest)
        if let layer, let number = try rewrite(layer, as: digest) {
            return .done("written again from snapshot \(number)")
        }
        if damagedBlobs.contains(digest), try isOnlyCopy(digest, of: layer) {
            return .beyondRepair("left as it is, the only copy that an image has: \(Self.wayToNewCopy)")
        }
        try store.content.remove(digest)
        damagedBlobs.remove(digest)
        return .done("removed")
    }

    /// Whether an image needs a blob that nothing here and no source elsewhere can take the place of.
    private func isOnlyCopy(_ digest: Digest, of layer: DiffID?) throws -> Bool {
        if let layer {
            let isNeeded = stacks.contains { chain, stack in
                stack.isOfImage && stack.diffID == layer && !goodSnapshots.contains(chain)
            }
            return try isNeeded && !store.layers.isWithinReach(layer, among: goodBlobs)
        }
        // A manifest that was made here is made again when it is needed.
        return images.contains { $0.id == digest || ($0.origin != .made && $0.manifest?.digest == digest) }
            || roots.contains { $0.blobs.contains(digest) || ($0.origin != .made && $0.descriptor.digest == digest) }
    }

    private func rewrite(_ diffID: DiffID, as digest: Digest) throws -> Int64? {
        guard diffID.digest == digest else { return nil }
        for (chain, stack) in stacks where stack.diffID == diffID && goodSnapshots.contains(chain) {
            for snapshot in try store.snapshots.snapshots(of: chain) {
                let ingest = try store.content.begin()
                let writer = try LayerWriter(CompressionOptions(.none), to: ingest.sink)
                guard let written = try layer(of: snapshot, stack, to: writer), written.diffID == diffID,
                    let blob = written.blob
                else { continue }
                try store.content.remove(digest)
                try ingest.commit(as: blob.digest, size: blob.size)
                goodBlobs.insert(digest)
                return snapshot.number
            }
        }
        return nil
    }
}
