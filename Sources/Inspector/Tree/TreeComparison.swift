import Layers

/// The change of a file between two points of a stack of layers, as dive names it.
package enum FileChange: UInt8, Hashable, Sendable, CaseIterable {
    case unmodified
    case added
    case modified
    case removed
}

/// Every file of an image at one layer, compared with the file that was there before.
///
/// A file is modified when its kind, content, permissions, owner, group, attributes, device or link target differs. Its
/// time alone does not count, as with dive; a link that leads elsewhere does, other than with dive. A directory whose
/// files did not all do what it did is modified.
package struct TreeComparison: Sendable {
    /// The layers that are compared.
    package enum Mode: Hashable, Sendable {
        /// The layer with all layers below it.
        case layer
        /// All layers above the bottom one, up to the layer, with the bottom one.
        case aggregated
    }

    package let layer: Int
    package let mode: Mode
    /// The last layer of the earlier point.
    package let base: Int
    /// By node; the raw value of the change or `absent`.
    let changes: [UInt8]
    /// By node: the bytes of a file, or of all below a directory that are not removed.
    let sizes: [Int64]

    static let absent: UInt8 = 0xff

    /// Compares at the layer with index `layer`. The bottom layer is compared with itself, as nothing is below it.
    package init(_ tree: ImageTree, layer: Int, mode: Mode = .layer) {
        self.layer = layer
        self.mode = mode
        base = mode == .aggregated || layer == 0 ? min(0, layer) : layer - 1
        var changes = [UInt8](repeating: Self.absent, count: tree.count)
        var sizes = [Int64](repeating: 0, count: tree.count)
        // A node's size stands for the file that is counted there until the lists are gone through.
        let (starts, versions) = (tree.starts, tree.versions)
        for node in 0..<tree.count {
            var index = Int(starts[node + 1]) - 1
            while index >= Int(starts[node]), Int(versions[index].layer) > layer { index -= 1 }
            let new = index < Int(starts[node]) ? nil : versions[index]
            while index >= Int(starts[node]), Int(versions[index].layer) > base { index -= 1 }
            let old = index < Int(starts[node]) ? nil : versions[index]
            guard let change = Self.change(tree, node, from: old, to: new) else { continue }
            changes[node] = change.rawValue
            guard let version = change == .removed ? old : new, version.entry >= 0 else { continue }
            sizes[node] = Self.mark(version.layer, version.entry)
        }
        Self.setSizes(&sizes, tree, upTo: layer)
        let parents = tree.parents
        for node in (1..<max(1, tree.count)).reversed() where changes[node] != Self.absent {
            let parent = Int(parents[node])
            let isCounted =
                changes[node] != FileChange.removed.rawValue || changes[parent] == FileChange.removed.rawValue
            if isCounted { sizes[parent] &+= sizes[node] }
            if changes[parent] != changes[node] { changes[parent] = FileChange.modified.rawValue }
        }
        self.changes = changes
        self.sizes = sizes
    }

    /// A number below 0 for an entry of a layer.
    private static func mark(_ layer: Int32, _ entry: Int32) -> Int64 { ~(Int64(layer) << 32 | Int64(entry)) }

    /// Replaces the marks of entries by their sizes, list by list: a look into the lists for each node takes twice as long.
    private static func setSizes(_ sizes: inout [Int64], _ tree: ImageTree, upTo last: Int) {
        for (layer, list) in tree.lists.prefix(last + 1).enumerated() {
            for (entry, node) in tree.entryNodes[layer].enumerated() {
                let mark = mark(Int32(truncatingIfNeeded: layer), Int32(truncatingIfNeeded: entry))
                if sizes[Int(node)] == mark { sizes[Int(node)] = list.storedSize(of: entry) }
            }
        }
    }

    /// `nil` when there is no file at either point.
    private static func change(
        _ tree: ImageTree, _ node: Int, from old: FileVersion?, to new: FileVersion?
    ) -> FileChange? {
        if node == ImageTree.root { return .unmodified }
        let removal = Int32(FileVersion.removal)
        let (old, new) = (
            old.flatMap { $0.entry == removal ? nil : $0 }, new.flatMap { $0.entry == removal ? nil : $0 }
        )
        guard let new else { return old == nil ? nil : .removed }
        guard let old else { return .added }
        if old == new { return .unmodified }
        let implied = Int32(FileVersion.impliedDirectory)
        guard old.entry != implied, new.entry != implied else {
            return isDirectory(tree, old) && isDirectory(tree, new) ? .unmodified : .modified
        }
        let isSame = tree.lists[Int(old.layer)]
            .isSameFile(Int(old.entry), as: tree.lists[Int(new.layer)], Int(new.entry))
        return isSame ? .unmodified : .modified
    }

    private static func isDirectory(_ tree: ImageTree, _ version: FileVersion) -> Bool {
        version.entry < 0 || tree.lists[Int(version.layer)].kind(of: Int(version.entry)) == .directory
    }

    /// The change of a node; `nil` when there is no file at either point.
    package func change(of node: Int) -> FileChange? { FileChange(rawValue: changes[node]) }

    /// The bytes of a file or of the files below a directory. A hard link has none.
    package func size(of node: Int) -> Int64 { sizes[node] }

    /// The file to show for a node: a removed one as it was.
    package func file(at node: Int, in tree: ImageTree) -> TreeFile? {
        switch change(of: node) {
        case nil: nil
        case .removed: tree.file(at: node, after: base)
        default: tree.file(at: node, after: layer)
        }
    }
}
