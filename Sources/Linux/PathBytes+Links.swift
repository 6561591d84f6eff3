extension PathBytes {
    /// As many links in one path the kernel follows, too.
    package static let linkLimit = 40
    /// So many components may be passed on the way, those of the links included. Long links to one another would
    /// otherwise make every path take long.
    package static let stepLimit = 8192

    /// The path without links, `..` and `.` in it; `nil` when there are too many links, as in a circle, or too many
    /// components in them.
    ///
    /// `target` says where a link leads, and `nil` for what is none. Links are followed as if the empty path were the
    /// root of the file system; the parts of a path that are missing stay as they are.
    package func followingLinks(_ target: (PathBytes) throws -> PathBytes?) rethrows -> PathBytes? {
        var resolved = PathBytes("")
        var pending = Array(components.reversed())
        var links = 0
        var steps = 0
        while let component = pending.popLast() {
            steps += 1
            if component == "." { continue }
            if component == ".." {
                resolved = resolved.parent
                continue
            }
            let next = resolved.appending(component)
            guard let target = try target(next) else {
                resolved = next
                continue
            }
            links += 1
            guard links <= Self.linkLimit, steps + pending.count <= Self.stepLimit else { return nil }
            if target.hasPrefix("/") { resolved = "" }
            pending += target.components.reversed()
        }
        return resolved
    }
}
