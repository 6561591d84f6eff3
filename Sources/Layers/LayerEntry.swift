package import Linux

/// One member of a layer: a file, or the mark that something of the layers below is gone.
///
/// Source: OCI image-spec, layer.md.
package struct LayerEntry: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case regular
        case directory
        case symlink
        /// Another name of a file of this layer or, rarely, of one below.
        case hardLink
        case characterDevice
        case blockDevice
        case fifo
        /// The path is removed from the layers below.
        case whiteout
        /// Everything in the directory at the path is removed from the layers below.
        case opaque

        /// Whether an entry of this kind is a mark and not a file.
        package var isMark: Bool { self == .whiteout || self == .opaque }

        /// The place of an entry of this kind among the entries of one path in a list, where each has another.
        package var rank: Int {
            switch self {
            case .whiteout: 0
            case .opaque: 2
            default: 1
            }
        }
    }

    /// Relative to the root: no leading `/` or `./`, no slash at the end, no `.` or `..`. Of a whiteout the path that
    /// is gone, of an opaque mark the directory, which may be the root: the empty path.
    package var path: PathBytes
    package var kind: Kind
    /// The twelve permission bits.
    package var permissions: UInt32
    package var owner: UInt32
    package var group: UInt32
    /// Of a regular file, in bytes; otherwise 0.
    package var size: Int64
    package var modified: FileTime
    /// Of a symbolic link what it says; of a hard link the path of the other name, normalised as ``path`` is.
    package var linkTarget: PathBytes
    package var deviceMajor: UInt32
    package var deviceMinor: UInt32
    package var attributes: [ExtendedAttribute]
    /// Of a regular file the CRC-64 (ECMA-182, reflected) of its bytes; otherwise 0.
    package var contentHash: UInt64

    package init(
        path: PathBytes, kind: Kind, permissions: UInt32 = 0, owner: UInt32 = 0, group: UInt32 = 0, size: Int64 = 0,
        modified: FileTime = FileTime(seconds: 0), linkTarget: PathBytes = PathBytes([UInt8]()),
        deviceMajor: UInt32 = 0, deviceMinor: UInt32 = 0, attributes: [ExtendedAttribute] = [],
        contentHash: UInt64 = 0
    ) {
        self.path = path
        self.kind = kind
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.size = size
        self.modified = modified
        self.linkTarget = linkTarget
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.attributes = attributes
        self.contentHash = contentHash
    }

    /// The entry of a file with this metadata; `nil` for a socket, which no archive can hold.
    package init?(path: PathBytes, status: FileStatus) {
        let kind: Kind
        switch status.type {
        case .regular: kind = .regular
        case .directory: kind = .directory
        case .symlink: kind = .symlink
        case .characterDevice: kind = .characterDevice
        case .blockDevice: kind = .blockDevice
        case .fifo: kind = .fifo
        case .socket: return nil
        }
        let isDevice = kind == .characterDevice || kind == .blockDevice
        self.init(
            path: path, kind: kind, permissions: status.permissions, owner: status.owner, group: status.group,
            size: kind == .regular ? status.size : 0, modified: status.modified,
            deviceMajor: isDevice ? status.deviceMajor : 0, deviceMinor: isDevice ? status.deviceMinor : 0)
    }

    /// Whether this is a mark and not a file.
    package var isMark: Bool { kind.isMark }
}

extension LayerEntry {
    /// Whether this entry stands before the other in a list: a directory before what it holds, names by their bytes,
    /// and of one path the whiteout first, then the file, then the opaque mark.
    package func precedes(_ other: LayerEntry) -> Bool {
        if path == other.path { return rank < other.rank }
        return path.walksBefore(other.path)
    }

    /// Two entries of a list with one path have different ranks.
    package var rank: Int { kind.rank }
}

extension PathBytes {
    /// The order of a walk with sorted names: as if the slash were the smallest byte.
    package func walksBefore(_ other: PathBytes) -> Bool {
        let slash = UInt8(ascii: "/")
        let left = bytes.span
        let right = other.bytes.span
        let index = left.commonPrefix(with: right)
        guard index < left.count, index < right.count else { return left.count < right.count }
        if left[index] == slash { return true }
        if right[index] == slash { return false }
        return left[index] < right[index]
    }
}

extension Span<UInt8> {
    /// The number of bytes at the beginning that are those of another span, found eight at a time.
    package func commonPrefix(with other: Span<UInt8>) -> Int {
        let (left, right) = unsafe (bytes, other.bytes)
        let end = Swift.min(count, other.count)
        var index = 0
        while index + 8 <= end {
            let word = unsafe left.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            let second = unsafe right.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            if word != second { return index + (word ^ second).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end, self[index] == other[index] { index += 1 }
        return index
    }
}
