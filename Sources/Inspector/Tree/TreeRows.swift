/// The nodes of a tree that a list shows, in its order.
package struct TreeRows: Sendable {
    package enum Order: Hashable, Sendable {
        case name
        /// The largest first in every directory.
        case size
        /// The largest files of the whole tree first, without directories.
        case largest
    }

    /// The root is never among them.
    package private(set) var nodes: [Int32] = []

    /// Of each node, `collapsed` says whether what is below it is left out, and `matches` whether it is looked for. Files
    /// with a change in `hidden` are left out; a directory is shown as long as something below it is.
    package init(
        _ tree: ImageTree, _ comparison: TreeComparison, collapsed: [Bool], hidden: Set<FileChange> = [],
        matches: [Bool]? = nil, order: Order = .name
    ) {
        let (shown, isParent) = Self.shown(tree, comparison, hidden, matches)
        switch order {
        case .name:
            let ends = tree.ends
            var node = 1
            while node < tree.count {
                guard shown[node] else {
                    node = Int(ends[node])
                    continue
                }
                nodes.append(Int32(truncatingIfNeeded: node))
                node = collapsed[node] ? Int(ends[node]) : node + 1
            }
        case .size: addBySize(tree, comparison, collapsed, shown)
        case .largest:
            let sizes = comparison.sizes
            var files: [SizedNode] = []
            for node in 1..<max(1, tree.count) where shown[node] && !isParent[node] && sizes[node] > 0 {
                files.append(SizedNode(node: Int32(truncatingIfNeeded: node), size: sizes[node]))
            }
            files.sort()
            nodes = files.map(\.node)
        }
    }

    /// Of each node whether it is shown, and whether it has something below it at all.
    private static func shown(
        _ tree: ImageTree, _ comparison: TreeComparison, _ hidden: Set<FileChange>, _ matches: [Bool]?
    ) -> (shown: [Bool], isParent: [Bool]) {
        var shown = [Bool](repeating: false, count: tree.count)
        var isParent = shown
        let hiddenChanges = FileChange.allCases.map(hidden.contains)
        let (parents, changes) = (tree.parents, comparison.changes)
        for node in (1..<max(1, tree.count)).reversed() where changes[node] != TreeComparison.absent {
            let parent = Int(parents[node])
            // A directory that is looked for is shown even if nothing in it is.
            let isWanted = matches?[node] ?? !isParent[node]
            if isWanted, !hiddenChanges[Int(changes[node])] { shown[node] = true }
            isParent[parent] = true
            if shown[node] { shown[parent] = true }
        }
        return (shown, isParent)
    }

    private mutating func addBySize(
        _ tree: ImageTree, _ comparison: TreeComparison, _ collapsed: [Bool], _ shown: [Bool]
    ) {
        let (ends, sizes) = (tree.ends, comparison.sizes)
        var pending: [Int32] = [Int32(ImageTree.root)]
        var children: [SizedNode] = []
        while let next = pending.popLast() {
            let node = Int(next)
            if node != ImageTree.root { nodes.append(next) }
            if node != ImageTree.root, collapsed[node] { continue }
            children.removeAll(keepingCapacity: true)
            var child = node + 1
            while child < Int(ends[node]) {
                if shown[child] {
                    children.append(SizedNode(node: Int32(truncatingIfNeeded: child), size: sizes[child]))
                }
                child = Int(ends[child])
            }
            children.sort()
            for child in children.reversed() { pending.append(child.node) }
        }
    }

    /// A node that comes before another when it is larger; of equal ones the first by name.
    private struct SizedNode: Comparable {
        let node: Int32
        let size: Int64

        static func < (left: Self, right: Self) -> Bool {
            left.size == right.size ? left.node < right.node : left.size > right.size
        }
    }
}
