/// The file that a layer puts at a path, or its removal.
struct FileVersion: Hashable, Sendable {
    /// An ``entry`` of a directory that the layer needs and no entry of it names.
    static let impliedDirectory = -1
    /// An ``entry`` of a path that the layer removes.
    static let removal = -2

    /// The index of the layer; 0 is the bottom.
    let layer: Int32
    /// The index in the layer's file list, or one of the two numbers above.
    let entry: Int32
}

/// The versions at all nodes in the order in which they are found.
struct FileVersionLog: Sendable {
    private var nodes: [Int32] = []
    private var versions: [FileVersion] = []

    init(capacity: Int = 0) {
        nodes.reserveCapacity(capacity)
        versions.reserveCapacity(capacity)
    }

    mutating func add(_ node: Int, _ layer: Int, _ entry: Int) {
        nodes.append(Int32(truncatingIfNeeded: node))
        versions.append(
            FileVersion(layer: Int32(truncatingIfNeeded: layer), entry: Int32(truncatingIfNeeded: entry)))
    }

    /// The versions by their nodes: those of node `n` are `versions[starts[n]..<starts[n + 1]]`, bottom first, and of
    /// several by one layer the last.
    func byNode(_ count: Int) -> (starts: [Int32], versions: [FileVersion]) {
        var next = [Int32](repeating: 0, count: count + 1)
        for node in nodes { next[Int(node) + 1] += 1 }
        for node in 0..<count { next[node + 1] += next[node] }
        var sorted = [FileVersion](repeating: FileVersion(layer: 0, entry: 0), count: versions.count)
        for (node, version) in zip(nodes, versions) {
            sorted[Int(next[Int(node)])] = version
            next[Int(node)] += 1
        }
        // Each has come to the end of its node now. Versions that another of the same layer follows are dropped in place.
        var (begin, kept) = (0, 0)
        for node in 0..<count {
            let (start, end) = (kept, Int(next[node]))
            next[node] = Int32(truncatingIfNeeded: start)
            for index in begin..<end {
                if kept > start, sorted[kept - 1].layer == sorted[index].layer { kept -= 1 }
                sorted[kept] = sorted[index]
                kept += 1
            }
            begin = end
        }
        next[count] = Int32(truncatingIfNeeded: kept)
        sorted.removeLast(sorted.count - kept)
        return (next, sorted)
    }
}
