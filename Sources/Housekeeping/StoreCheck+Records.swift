import Caching
import Contexts
import Diagnostics
import OCI
import Store
import Trees

extension StoreCheck {
    /// Looks whether cache records can be read, and whether all is there that they need.
    func checkCache() throws {
        for record in cacheRecords {
            result.cacheRecords += 1
            guard let problem = try problem(of: record) else { continue }
            try found("cache record \(record.key) (\(record.description))", problem) {
                try store.cache.remove([record.key])
                return .done("removed; the step runs again")
            }
        }
    }

    private func problem(of record: CacheRecord) throws -> String? {
        switch record.kind {
        case "http":
            guard RemoteFile(decoding: record.result) != nil else { return "has a result that cannot be read" }
        default: break
        }
        if let blob = record.blobs.first(where: { !goodBlobs.contains($0) }) { return "needs the blob \(blob)" }
        return try lostLayer(of: record.stack).map { "needs the layer \($0.diffID)" }
    }

    /// The first layer of a stack that is neither here nor to be had elsewhere, and whether a damaged copy of it is here.
    private func lostLayer(of stack: LayerStack) throws -> (diffID: DiffID, isDamaged: Bool)? {
        var unknown: [(diffID: DiffID, chain: ChainID)] = []
        var next = stack
        while let layer = next.top, let chain = next.chainID, let below = next.below, !wholeStacks.contains(chain) {
            unknown.append((layer.diffID, chain))
            next = below
        }
        for (diffID, chain) in unknown.reversed() {
            if try !goodSnapshots.contains(chain) && !store.layers.isWithinReach(diffID, among: goodBlobs) {
                let hasBlob = try store.layers.blobs(of: diffID).contains { damagedBlobs.contains($0.digest) }
                return (diffID, hasBlob || damagedSnapshots.contains(chain))
            }
            wholeStacks.insert(chain)
        }
        return nil
    }

    /// Looks whether all is there of each image. An image is never removed: its owner shall know of it.
    func checkImages() throws {
        for image in images {
            result.images += 1
            guard let problem = try problem(of: image) else { continue }
            let name = image.names.first.map(\.familiar) ?? "without a name"
            found(
                "image \(image.id) (\(name))", problem.text,
                .beyondRepair(problem.isDamage ? Self.wayToNewCopy : "build, pull or load it again, or remove it"))
        }
        for root in roots where root.origin != .made && !goodBlobs.contains(root.descriptor.digest) {
            let name = root.names.first.map(\.familiar) ?? "without a name"
            let isDamaged = damagedBlobs.contains(root.descriptor.digest)
            found(
                "root \(root.descriptor.digest) (\(name))", isDamaged ? "is damaged" : "is not in the store",
                .beyondRepair(isDamaged ? Self.wayToNewCopy : "pull or load it again, or remove it"))
        }
        for name in try store.images.lostNames() {
            try found("name \(name.familiar)", "leads to no image") {
                try store.images.untag(name)
                return .done("removed")
            }
        }
    }

    /// A defect of an image, and whether a damaged copy of what it lacks is here.
    private func problem(of image: StoredImage) throws -> (text: String, isDamage: Bool)? {
        func missing(_ what: String, _ digest: Digest) -> (String, Bool) {
            damagedBlobs.contains(digest) ? ("has a damaged \(what)", true) : ("has lost its \(what)", false)
        }
        guard goodBlobs.contains(image.id), let bytes = try store.content.bytes(of: image.id) else {
            return missing("config", image.id)
        }
        guard let config = try? ImageConfig(parsing: bytes) else { return ("has a config that cannot be read", false) }
        guard config.diffIDs == image.diffIDs else {
            return ("is recorded with other layers than its config has", false)
        }
        // A manifest that was made here is made again when it is needed.
        if image.origin != .made, let manifest = image.manifest, !goodBlobs.contains(manifest.digest) {
            return missing("manifest", manifest.digest)
        }
        return try lostLayer(of: LayerStack(ofImage: image.diffIDs)).map { lost in
            ("\(lost.isDamaged ? "has a damaged copy of" : "has lost") the layer \(lost.diffID)", lost.isDamaged)
        }
    }
}

extension LayerIndex {
    /// Whether a layer is among blobs that were found whole, or can be had elsewhere.
    func isWithinReach(_ diffID: DiffID, among blobs: Set<Digest>) throws -> Bool {
        try self.blobs(of: diffID).contains { blobs.contains($0.digest) } || hasSource(diffID)
    }
}
