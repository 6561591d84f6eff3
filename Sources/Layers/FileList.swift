package import Linux
import OCI

/// The files of a layer, as the store records them so that the layer need not be read again.
package struct FileList: Hashable, Sendable {
    /// In the order of ``LayerEntry/precedes(_:)``, each path at most once but for marks.
    package let entries: [LayerEntry]
    /// The size of the uncompressed archive in bytes.
    package let tarSize: Int64

    /// Sorts the entries if need be; of two for the same file the later counts, as it does when they are unpacked.
    package init(_ entries: consuming [LayerEntry], tarSize: Int64) {
        self.entries = Self.inOrder(entries)
        self.tarSize = tarSize
    }

    private static func inOrder(_ entries: consuming [LayerEntry]) -> [LayerEntry] {
        var entries = entries
        let isSorted = entries.indices.dropFirst().allSatisfy { entries[$0 - 1].precedes(entries[$0]) }
        if isSorted { return entries }
        // Not `sort`, whose result for equal elements is not promised to be stable: positions break the ties.
        let order = entries.indices.sorted {
            if entries[$0].precedes(entries[$1]) { return true }
            return entries[$1].precedes(entries[$0]) ? false : $0 < $1
        }
        entries = order.map { entries[$0] }
        var unique: [LayerEntry] = []
        unique.reserveCapacity(entries.count)
        for entry in entries {
            if let last = unique.last, last.path == entry.path, last.rank == entry.rank { unique.removeLast() }
            unique.append(entry)
        }
        return unique
    }

    /// The sum of the sizes of the regular files, in bytes.
    package var contentSize: Int64 { entries.clampedSum(\.size) }

    /// The number of files, marks not counted.
    package var fileCount: Int { entries.count { !$0.isMark } }

    /// The file with this path; marks are not files.
    package subscript(path: PathBytes) -> LayerEntry? { entries.file(at: path) }
}

extension [LayerEntry] {
    /// The file with a path in entries that are in their order; marks are not files.
    func file(at path: PathBytes) -> LayerEntry? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].path.walksBefore(path) { low = middle + 1 } else { high = middle }
        }
        return self[low...].prefix { $0.path == path }.first { !$0.isMark }
    }
}
