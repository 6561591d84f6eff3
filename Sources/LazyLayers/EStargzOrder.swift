import Diagnostics
import Layers
import Linux

/// The order of the members of an eStargz layer: the files to prefetch first, then the landmark, then all others.
///
/// Source: stargz-snapshotter, `docs/estargz.md`, "Prioritized Files and Landmark Files".
enum EStargzOrder {
    /// The mark behind the files to prefetch.
    static let landmark = ".prefetch.landmark"
    /// The mark that there are none.
    static let noLandmark = ".no.prefetch.landmark"
    static let table = "stargz.index.json"

    /// The numbers of the members, with the landmark between those to prefetch and the others.
    struct Order {
        var first: [Int] = []
        var rest: [Int] = []
    }

    /// Of two members with one path the last counts. Paths that are not in the archive are passed over.
    static func order(_ members: [TarIndex.Member], prefetching paths: [PathBytes]) -> Order {
        let reserved = Set([landmark, noLandmark, table].map { PathBytes($0) })
        var places: [PathBytes: Int] = [:]
        for (index, member) in members.enumerated() where !reserved.contains(member.path) {
            places[member.path] = index
        }
        var picked: Set<Int> = []
        var order = Order()
        func pick(_ path: PathBytes, _ depth: Int) {
            // The directories above it, then the file that it is a link to.
            guard depth < PathBytes.depthLimit else { return }
            if !path.isEmpty { pick(path.parent, depth + 1) }
            guard let index = places[path], !picked.contains(index) else { return }
            if members[index].isHardLink {
                let target = TarIndex.path(members[index].fields.linkName)
                if target != path { pick(target, depth + 1) }
            }
            if picked.insert(index).inserted { order.first.append(index) }
        }
        for path in paths { pick(path, 0) }
        order.rest = members.indices.filter { index in
            places[members[index].path] == index && !picked.contains(index)
        }
        return order
    }
}
