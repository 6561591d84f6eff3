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
            var node = 1
            while node < tree.count {
                guard shown[node] else {
                    node = tree.end(of: node)
                    continue
                }
                nodes.append(Int32(truncatingIfNeeded: node))
                node = collapsed[node] ? tree.end(of: node) : node + 1
            }
        case .size: addBySize(tree, comparison, collapsed, shown)
        case .largest:
            nodes = (1..<max(1, tree.count)).filter { shown[$0] && !isParent[$0] && comparison.size(of: $0) > 0 }
                .map { Int32(truncatingIfNeeded: $0) }
            Self.sort(&nodes, comparison)
        }
    }

    /// Of each node whether it is shown, and whether it has something below it at all.
    private static func shown(
        _ tree: ImageTree, _ comparison: TreeComparison, _ hidden: Set<FileChange>, _ matches: [Bool]?
    ) -> (shown: [Bool], isParent: [Bool]) {
        var shown = [Bool](repeating: false, count: tree.count)
        var isParent = shown
        let hiddenChanges = FileChange.allCases.map(hidden.contains)
        for node in (1..<max(1, tree.count)).reversed() {
            guard let change = comparison.change(of: node) else { continue }
            let parent = tree.parent(of: node)
            // A directory that is looked for is shown even if nothing in it is.
            let isWanted = matches?[node] ?? !isParent[node]
            if isWanted, !hiddenChanges[Int(change.rawValue)] { shown[node] = true }
            isParent[parent] = true
            if shown[node] { shown[parent] = true }
        }
        return (shown, isParent)
    }

    private mutating func addBySize(
        _ tree: ImageTree, _ comparison: TreeComparison, _ collapsed: [Bool], _ shown: [Bool]
    ) {
        var pending: [Int32] = [Int32(ImageTree.root)]
        while let next = pending.popLast() {
            let node = Int(next)
            if node != ImageTree.root { nodes.append(next) }
            if node != ImageTree.root, collapsed[node] { continue }
            var children: [Int32] = []
            var child = node + 1
            while child < tree.end(of: node) {
                if shown[child] { children.append(Int32(truncatingIfNeeded: child)) }
                child = tree.end(of: child)
            }
            Self.sort(&children, comparison)
            pending += children.reversed()
        }
    }

    /// The largest first; of equal ones the first by name.
    private static func sort(_ nodes: inout [Int32], _ comparison: TreeComparison) {
        nodes.sort { left, right in
            let (first, second) = (comparison.size(of: Int(left)), comparison.size(of: Int(right)))
            return first == second ? left < right : first > second
        }
    }
}
