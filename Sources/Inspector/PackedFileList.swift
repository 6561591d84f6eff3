package import Layers
package import Linux

/// The files of a layer as the bytes of their encoding, with the places of the entries in it.
///
/// An entry takes some 40 bytes so, where a ``LayerEntry`` takes 250: images of a million files are looked into so. The
/// paths of entries are known only in a walk from the first one, see ``Paths``.
package struct PackedFileList: Sendable {
    /// The bytes that ``FileList/init(decoding:)`` reads.
    package let encoded: [UInt8]
    /// The size of the uncompressed archive in bytes.
    package let tarSize: Int64
    /// The bytes of content that the layer holds.
    package private(set) var storedSize: Int64 = 0
    /// The places of the entries.
    private var positions: [UInt32] = []
    private var owners: [OwnerRun] = []

    /// Entries of one owner, up to the next run.
    private struct OwnerRun {
        let start: Int
        let owner: UInt32
        let group: UInt32
    }

    package init(_ list: FileList) {
        do { self = try PackedFileList(encoded: list.encode()) } catch {
            preconditionFailure("a list that was encoded can be read: \(error)")
        }
    }

    /// Throws ``LayerError`` `.badFileList` as ``FileList/init(decoding:)`` does.
    package init(encoded bytes: [UInt8]) throws(LayerError) {
        if let list = try Self(sorted: bytes) {
            self = list
        } else if let list = try Self(sorted: try FileList(decoding: bytes).encode()) {
            self = list
        } else {
            throw ListDecoder.malformed
        }
    }

    /// `nil` when the entries are not in their order.
    private init?(sorted bytes: [UInt8]) throws(LayerError) {
        guard bytes.count <= UInt32.max else { throw ListDecoder.malformed }
        var reader = ListDecoder(bytes)
        let (tarSize, count) = try reader.head()
        self.tarSize = tarSize
        encoded = bytes
        positions.reserveCapacity(count)
        var path: [UInt8] = []
        var (lastRank, owner, group): (Int, UInt32, UInt32) = (-1, 0, 0)
        for index in 0..<count {
            positions.append(UInt32(reader.position))
            let flags = try reader.byte()
            let kind = try reader.kind(flags)
            let (shared, rest) = try reader.pathParts(upTo: path.count)
            let isSamePath = rest.isEmpty && shared == path.count
            guard isSamePath ? lastRank < kind.rank : Self.isAhead(bytes, rest, of: path, shared) else { return nil }
            lastRank = kind.rank
            path.removeLast(path.count - shared)
            path += bytes[rest]
            let before = (owner, group)
            storedSize &+= max(0, try reader.passFields(flags, kind, owner: &owner, group: &group))
            if index == 0 || before != (owner, group) {
                owners.append(OwnerRun(start: index, owner: owner, group: group))
            }
        }
        guard reader.isAtEnd else { throw ListDecoder.malformed }
    }

    /// Whether a path comes behind another in the order of a walk; after so many common bytes it goes on with a range of
    /// `bytes`.
    private static func isAhead(_ bytes: [UInt8], _ rest: Range<Int>, of other: [UInt8], _ shared: Int) -> Bool {
        guard shared < other.count, !rest.isEmpty else { return !rest.isEmpty }
        let (last, first) = (other[shared], bytes[rest.lowerBound])
        if first != last { return last == UInt8(ascii: "/") || first != UInt8(ascii: "/") && last < first }
        return PathBytes(other[shared...]).walksBefore(PathBytes(bytes[rest]))
    }

    package var count: Int { positions.count }
    package var indices: Range<Int> { positions.indices }

    package func kind(of index: Int) -> LayerEntry.Kind {
        LayerEntry.Kind(rawValue: encoded[Int(positions[index])] & ListDecoder.kindMask) ?? .regular
    }

    /// The bytes of content that the layer holds for an entry.
    package func storedSize(of index: Int) -> Int64 {
        guard kind(of: index) == .regular else { return 0 }
        return max(0, ListDecoder.size(in: encoded.span, at: Int(positions[index])))
    }

    /// Whether an entry of another list is the same file, but for path and time. No entry is made for it, as many are compared.
    func isSameFile(_ index: Int, as other: Self, _ otherIndex: Int) -> Bool {
        let (start, otherStart) = (Int(positions[index]), Int(other.positions[otherIndex]))
        let (flags, otherFlags) = (encoded[start], other.encoded[otherStart])
        guard flags & ListDecoder.kindMask == otherFlags & ListDecoder.kindMask,
            ListDecoder.hasAttributes(flags) == ListDecoder.hasAttributes(otherFlags)
        else { return false }
        let (permissions, rest) = ListDecoder.permissionsAndRest(in: encoded.span, at: start)
        let (otherPermissions, otherRest) = ListDecoder.permissionsAndRest(in: other.encoded.span, at: otherStart)
        guard permissions == otherPermissions, owner(of: index) == other.owner(of: otherIndex) else { return false }
        return encoded[rest..<end(of: index)].elementsEqual(other.encoded[otherRest..<other.end(of: otherIndex)])
    }

    private func end(of index: Int) -> Int { index + 1 < count ? Int(positions[index + 1]) : encoded.count }

    private func owner(of index: Int) -> UInt64 {
        let run = owners[owners.partitioningIndex { $0.start > index } - 1]
        return UInt64(run.owner) << 32 | UInt64(run.group)
    }

    /// Of a regular file the sum of its bytes, see ``LayerEntry/contentHash``; otherwise 0.
    package func contentHash(of index: Int) -> UInt64 { entry(index, at: PathBytes([UInt8]())).contentHash }

    /// An entry, whose path the caller knows.
    package func entry(_ index: Int, at path: PathBytes) -> LayerEntry {
        var reader = ListDecoder(encoded, at: Int(positions[index]))
        let run = owners[owners.partitioningIndex { $0.start > index } - 1]
        var entry = LayerEntry(path: path, kind: kind(of: index), owner: run.owner, group: run.group)
        do {
            let flags = try reader.byte()
            _ = try reader.pathParts(upTo: .max)
            try reader.fields(flags, of: &entry)
        } catch {
            preconditionFailure("all entries were read when the list was made: \(error)")
        }
        return entry
    }

    /// The paths of the entries, one after the other.
    package struct Paths: Sendable {
        /// The entry with the present path; -1 before the first.
        package private(set) var index = -1
        package private(set) var path: [UInt8] = []
        private let list: PackedFileList

        package init(_ list: PackedFileList) { self.list = list }

        /// Goes to the next entry; `false` at the end.
        package mutating func advance() -> Bool {
            index += 1
            guard index < list.count else { return false }
            let (shared, rest) = ListDecoder.pathParts(in: list.encoded.span, at: Int(list.positions[index]))
            path.removeSubrange(shared...)
            path += list.encoded[rest]
            return true
        }
    }
}
