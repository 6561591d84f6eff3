import Layers
import Linux

/// All paths that the layers of an image name, and their parents, each with a number.
///
/// Facts about a path are kept in arrays with these numbers as indexes; so each path is hashed once per layer that
/// names it, and never copied. The root has the number 0, and a parent a smaller number than its children.
struct PathTree {
    static let root = 0

    private(set) var paths: [PathBytes] = [PathBytes([UInt8]())]
    /// Of each layer the number of each entry's path.
    private(set) var entries: [[Int32]] = []
    private var parents: [Int32] = [-1]
    private var firstChildren: [Int32] = [-1]
    private var nextSiblings: [Int32] = [-1]
    private var index = PathIndex()

    init(_ lists: [FileList]) {
        index.append(hash: index.hash(of: paths[PathTree.root]))
        entries.reserveCapacity(lists.count)
        for list in lists {
            // Neighbours in a walk mostly have the same parent.
            var parent = PathTree.root
            var layer: [Int32] = []
            layer.reserveCapacity(list.entries.count)
            for position in list.entries.indices {
                let number = self.number(of: list.entries[position].path, near: &parent)
                layer.append(Int32(truncatingIfNeeded: number))
            }
            entries.append(layer)
        }
    }

    var count: Int { paths.count }

    /// `nil` when no layer names the path or anything below it.
    func number(of path: PathBytes) -> Int? {
        index.number(of: path, hash: index.hash(of: path), in: paths)
    }

    /// The number of the parent; -1 for the root.
    func parent(of number: Int) -> Int { Int(parents[number]) }

    func forEachChild(of number: Int, _ body: (Int) -> Void) {
        var child = firstChildren[number]
        while child >= 0 {
            body(Int(child))
            child = nextSiblings[Int(child)]
        }
    }

    private mutating func number(of path: PathBytes, near parent: inout Int) -> Int {
        let hash = index.hash(of: path)
        if let known = index.number(of: path, hash: hash, in: paths) { return known }
        // A longer path is in no file system; so the depth of the tree is limited, too.
        if path.bytes.count > 4096 {
            parent = PathTree.root
        } else if !path.isChild(of: paths[parent]) {
            var root = PathTree.root
            parent = number(of: path.parent, near: &root)
        }
        let number = Int32(truncatingIfNeeded: paths.count)
        paths.append(path)
        parents.append(Int32(truncatingIfNeeded: parent))
        nextSiblings.append(firstChildren[parent])
        firstChildren.append(-1)
        firstChildren[parent] = number
        index.append(hash: hash)
        return Int(number)
    }
}

extension PathBytes {
    /// Whether nothing but one name stands between this path and its directory.
    fileprivate func isChild(of directory: PathBytes) -> Bool {
        let slash = UInt8(ascii: "/")
        let own = bytes.span
        let other = directory.bytes.span
        var start = 0
        if other.count > 0 {
            guard own.count > other.count, own[other.count] == slash else { return false }
            for index in other.indices where own[index] != other[index] { return false }
            start = other.count + 1
        }
        for index in start..<own.count where own[index] == slash { return false }
        return own.count > start
    }
}
