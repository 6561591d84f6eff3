/// A group of files of an image that change together: those of a package, or those below a directory that no package owns.
package struct ImagePart: Hashable, Sendable {
    /// The name of the package's source, or the path of the directory with a slash before it.
    package let name: String
    package let isPackage: Bool
    /// The sizes of its files, in bytes.
    package var bytes: Int64 = 0
    /// The time of its newest file, in seconds since 1970: what is old is likely to stay.
    package var newest: Int64 = .min
    /// The chunk of the former image that has most of it, counted from 0.
    package var former: Int?

    package init(name: String, isPackage: Bool) {
        self.name = name
        self.isPackage = isPackage
    }
}

/// The parts of an image that share a layer.
package enum ChunkPlan {
    /// Divides parts into at most `limit` chunks, which must be at least 1: each chunk is a list of indexes into `parts`.
    ///
    /// Parts that a former image had stay together, in its order, if it had at most `limit` chunks; `formerCount` is the
    /// number of its chunks, 0 without such an image. New parts get chunks of their own while there are some left. A chunk
    /// may be empty: then the former one has nothing to do with this image.
    package static func chunks(of parts: [ImagePart], limit: Int, formerCount: Int) -> [[Int]] {
        guard formerCount > 0, formerCount <= limit else { return newChunks(of: parts, limit: limit) }
        var chunks = Array(repeating: [Int](), count: formerCount)
        for index in parts.indices { if let former = parts[index].former { chunks[former].append(index) } }
        let new = parts.indices.filter { parts[$0].former == nil }
            .sorted { (parts[$1].bytes, parts[$0].name) < (parts[$0].bytes, parts[$1].name) }
        for index in new {
            if let empty = chunks.firstIndex(where: \.isEmpty) {
                chunks[empty].append(index)
            } else if chunks.count < limit {
                chunks.append([index])
            } else {
                let sizes = chunks.map { $0.reduce(Int64(0)) { $0 &+ parts[$1].bytes } }
                // With others of its kind, if there are some.
                let alike = chunks.indices.filter {
                    chunks[$0].allSatisfy { parts[$0].isPackage == parts[index].isPackage }
                }
                let smallest = (alike.isEmpty ? Array(chunks.indices) : alike).min { sizes[$0] < sizes[$1] }
                chunks[smallest ?? 0].append(index)
            }
        }
        return chunks
    }

    /// Packages and what is none never share a chunk, unless there is only one: what no package owns changes most.
    private static func newChunks(of parts: [ImagePart], limit: Int) -> [[Int]] {
        let packages = parts.indices.filter { parts[$0].isPackage }
        let others = parts.indices.filter { !parts[$0].isPackage }
        guard !packages.isEmpty, !others.isEmpty, limit > 1 else {
            return groups(of: Array(parts.indices), parts, limit)
        }
        var share = max(1, min(others.count, limit / 4))
        share = max(share, limit - packages.count)
        share = min(share, limit - 1)
        return groups(of: packages, parts, limit - share) + groups(of: others, parts, share)
    }

    /// The larger half of the chunks holds one part each, the largest. The rest is divided by age into groups of about
    /// one size.
    private static func groups(of indexes: [Int], _ parts: [ImagePart], _ limit: Int) -> [[Int]] {
        let byAge = indexes.sorted { (parts[$0].newest, parts[$0].name) < (parts[$1].newest, parts[$1].name) }
        guard indexes.count > limit else { return byAge.map { [$0] } }
        let bySize = indexes.sorted { (parts[$1].bytes, parts[$0].name) < (parts[$0].bytes, parts[$1].name) }
        let alone = Set(bySize.prefix(limit / 2))
        let rest = byAge.filter { !alone.contains($0) }
        var left = rest.reduce(Int64(0)) { $0 &+ parts[$1].bytes }
        var groupsLeft = limit - alone.count
        var groups: [[Int]] = []
        var group: [Int] = []
        var size: Int64 = 0
        for (place, index) in rest.enumerated() {
            group.append(index)
            size &+= parts[index].bytes
            let partsLeft = rest.count - place - 1
            // Each group that is left needs a part.
            if groupsLeft > 1, size >= left / Int64(groupsLeft) || partsLeft < groupsLeft {
                groups.append(group)
                left -= size
                groupsLeft -= 1
                (group, size) = ([], 0)
            }
        }
        if !group.isEmpty { groups.append(group) }
        return byAge.filter { alone.contains($0) }.map { [$0] } + groups
    }
}
