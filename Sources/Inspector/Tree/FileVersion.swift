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

/// The versions of all paths in the order in which they are found.
struct FileVersionLog: Sendable {
    private var paths: [Int32] = []
    private var versions: [FileVersion] = []

    mutating func add(_ path: Int, _ layer: Int, _ entry: Int) {
        paths.append(Int32(truncatingIfNeeded: path))
        versions.append(
            FileVersion(layer: Int32(truncatingIfNeeded: layer), entry: Int32(truncatingIfNeeded: entry)))
    }

    /// The versions by the places of their paths: those of place `p` are `versions[starts[p]..<starts[p + 1]]`, bottom
    /// first, and of several by one layer the last.
    ///
    /// `places` has the place of each path's number.
    func byPlace(_ places: [Int32]) -> (starts: [Int32], versions: [FileVersion]) {
        var ends = [Int32](repeating: 0, count: places.count + 1)
        for path in paths { ends[Int(places[Int(path)]) + 1] += 1 }
        for place in places.indices { ends[place + 1] += ends[place] }
        var next = ends
        var sorted = [FileVersion](repeating: FileVersion(layer: 0, entry: 0), count: versions.count)
        for (path, version) in zip(paths, versions) {
            let place = Int(places[Int(path)])
            sorted[Int(next[place])] = version
            next[place] += 1
        }
        return Self.compacted(ends, sorted)
    }

    /// Drops versions that another of the same layer follows.
    private static func compacted(
        _ ends: [Int32], _ sorted: [FileVersion]
    ) -> (starts: [Int32], versions: [FileVersion]) {
        var starts = ends
        var kept: [FileVersion] = []
        kept.reserveCapacity(sorted.count)
        for place in 0..<(ends.count - 1) {
            let start = kept.count
            starts[place] = Int32(truncatingIfNeeded: start)
            for index in Int(ends[place])..<Int(ends[place + 1]) {
                if kept.count > start, kept[kept.count - 1].layer == sorted[index].layer { kept.removeLast() }
                kept.append(sorted[index])
            }
        }
        starts[ends.count - 1] = Int32(truncatingIfNeeded: kept.count)
        return (starts, kept)
    }
}
