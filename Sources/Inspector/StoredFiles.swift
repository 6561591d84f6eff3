import Layers

/// A file as one layer stores it: all but directories.
package struct StoredFile: Hashable, Sendable {
    /// The state of bytes that no file of the image has.
    package struct Uselessness: Hashable, Sendable {
        /// Directories that are replaced or removed count as ``WasteReason/deleted``, too.
        package let reason: WasteReason
        /// The index of the next layer that has something else at the path, or removes it.
        package let cause: Int
    }

    /// The bytes that the layer stores for it: 0 for all but regular files.
    package let size: Int64
    // Numbers of 32 bits, as an image may have a million files.
    private let node32: Int32
    private let layer32: Int32
    private let entry32: Int32
    private let cause: Int32
    private let reason: WasteReason?

    init(node: Int, layer: Int, entry: Int, size: Int64, uselessness: Uselessness?) {
        self.size = size
        node32 = Int32(truncatingIfNeeded: node)
        layer32 = Int32(truncatingIfNeeded: layer)
        entry32 = Int32(truncatingIfNeeded: entry)
        cause = Int32(truncatingIfNeeded: uselessness?.cause ?? 0)
        reason = uselessness?.reason
    }

    /// The node of its path in the tree of the image.
    package var node: Int { Int(node32) }
    /// The index of the layer that stores it.
    package var layer: Int { Int(layer32) }
    /// The index in the file list of that layer.
    package var entry: Int { Int(entry32) }
    /// `nil` for a file that the image has under some name.
    package var uselessness: Uselessness? { reason.map { Uselessness(reason: $0, cause: Int(cause)) } }
}

extension InspectedImage {
    /// The files that all layers store, in the order of the tree, and of one path bottom first.
    package func storedFiles() -> [StoredFile] {
        let last = tree.layerCount - 1
        guard last >= 0 else { return [] }
        var isUsed = tree.lists.map { [Bool](repeating: false, count: $0.count) }
        for node in 1..<max(1, tree.count) {
            guard let file = tree.file(at: node, after: last), let entry = file.entry else { continue }
            isUsed[file.layer][entry] = true
            if let place = place(of: file) { isUsed[place.layer][place.entry] = true }
        }
        var files: [StoredFile] = []
        for node in 1..<max(1, tree.count) {
            let versions = tree.versions(at: node)
            for index in versions.indices where versions[index].entry >= 0 {
                let (layer, entry) = (Int(versions[index].layer), Int(versions[index].entry))
                guard tree.lists[layer].kind(of: entry) != .directory else { continue }
                var uselessness: StoredFile.Uselessness?
                if !isUsed[layer][entry], index + 1 < versions.endIndex {
                    uselessness = self.uselessness(of: versions[index], before: versions[index + 1])
                }
                files.append(
                    StoredFile(
                        node: node, layer: layer, entry: entry, size: tree.lists[layer].storedSize(of: entry),
                        uselessness: uselessness))
            }
        }
        return files
    }

    private func uselessness(of file: FileVersion, before next: FileVersion) -> StoredFile.Uselessness {
        let cause = Int(next.layer)
        guard let other = next.file else { return StoredFile.Uselessness(reason: .deleted, cause: cause) }
        let old = tree.entry(Int(file.entry), of: Int(file.layer))
        let new = place(of: other).map { entry(at: $0) }
        let isSame = old.kind == .regular && new?.size == old.size && new?.contentHash == old.contentHash
        return StoredFile.Uselessness(reason: isSame ? .metadataOnly : .overwritten, cause: cause)
    }
}
