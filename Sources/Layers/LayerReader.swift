import Diagnostics
package import Linux
package import OCI

/// The result of reading a whole layer.
package struct LayerSummary: Sendable {
    package let diffID: DiffID
    package let fileList: FileList

    /// The size of the uncompressed archive in bytes.
    package var tarSize: Int64 { fileList.tarSize }
}

/// Reads a layer, however compressed, entry by entry and in one pass.
///
/// ```swift
/// var reader = try LayerReader(BlobStream(blob))
/// while let entry = try reader.next() {
///     try reader.readContent { bytes in ... }
/// }
/// let digest = try reader.finish()
/// ```
package struct LayerReader: ~Copyable {
    private var tar: TarReader
    private let stream: HashingStream
    private let ahead: ReadAheadStream
    private let readsMarks: Bool

    /// Begins to read a blob.
    ///
    /// With `readsMarks`, names such as `.wh.a` mean that something is removed, as they do in layers; in archives that
    /// are no layers they are names. Without `computesDigest` the archive ends with ``end()``.
    package init(_ source: any ByteStream, readsMarks: Bool = true, computesDigest: Bool = true) throws {
        stream = HashingStream(try DecompressedStream(source), isHashing: computesDigest)
        ahead = ReadAheadStream(stream)
        tar = TarReader(ahead)
        self.readsMarks = readsMarks
    }

    /// Goes to the next entry, skipping what was not read of this one; `nil` at the end of the archive.
    ///
    /// Entries come as the archive has them: in any order, and the same path more than once. The root directory itself
    /// is left out. The content hash is still 0.
    package mutating func next() throws -> LayerEntry? {
        while try tar.next() {
            if let entry = try Self.entry(tar.member, readsMarks: readsMarks) { return entry }
        }
        return nil
    }

    /// Passes on what was not yet read of the present entry's content.
    ///
    /// - Returns: the hash of what was passed on, see ``LayerEntry/contentHash``.
    @discardableResult
    package mutating func readContent(_ body: (Span<UInt8>) throws -> Void) throws -> UInt64 {
        try readContent(body) { try TarReader.zeros($0, body) }
    }

    /// Passes on what was not yet read of the present entry's content; of a hole its length in bytes.
    ///
    /// - Returns: the hash of what was passed on, see ``LayerEntry/contentHash``.
    package mutating func readContent(
        _ body: (Span<UInt8>) throws -> Void, hole: (Int64) throws -> Void
    ) throws -> UInt64 {
        var hash: UInt64 = 0
        try tar.readContent { bytes in
            hash = ContentHash.update(hash, bytes)
            try body(bytes)
        } hole: { count in
            hash = ContentHash.update(hash, zeros: count)
            try hole(count)
        }
        return hash
    }

    /// Reads the source to its end, as the bytes after the archive's end belong to the digest.
    ///
    /// - Returns: the digest and the size in bytes of the uncompressed archive.
    package consuming func finish() throws -> (diffID: DiffID, tarSize: Int64) {
        try tar.drain()
        guard let digest = stream.digest() else { preconditionFailure("this reader computes no digest") }
        return (DiffID(digest), stream.size)
    }

    /// Reads the source to its end, so that its sender can finish.
    package consuming func end() throws { try tar.drain() }

    /// Reads a whole layer to know what is in it.
    package static func readFileList(
        from source: any ByteStream, sum: ContentSum = .checksum
    ) throws -> LayerSummary {
        var reader = try LayerReader(source)
        var links = LayerLinks()
        while var entry = try reader.next() {
            if entry.kind == .regular {
                entry.contentHash = try reader.contentSum(sum)
            }
            try links.add(entry)
        }
        let (diffID, tarSize) = try reader.finish()
        return LayerSummary(diffID: diffID, fileList: FileList(try links.finish(), tarSize: tarSize))
    }
}

extension LayerReader {
    /// Passes over the present entry's content and sums it up.
    private mutating func contentSum(_ sum: ContentSum) throws -> UInt64 {
        guard sum == .digest else {
            return try readContent { _ in
            } hole: { _ in
            }
        }
        let digest = ContentDigest()
        try readContent { digest.update($0) }
        return digest.finish()
    }

    /// The layer entry that a member of the archive stands for; `nil` when it stands for none.
    static func entry(_ member: TarMember, readsMarks: Bool) throws -> LayerEntry? {
        let path = try LayerPath.normalize(member.name)
        let meaning = readsMarks ? try Whiteout.meaning(of: path) : .file
        switch meaning {
        case .whiteout(let path): return LayerEntry(path: path, kind: .whiteout)
        case .opaque(let path): return LayerEntry(path: path, kind: .opaque)
        case .nothing: return nil
        case .file: break
        }
        guard !path.isEmpty, let kind = kind(of: member.type) else { return nil }
        guard let owner = UInt32(exactly: member.owner), let group = UInt32(exactly: member.group),
            let major = UInt32(exactly: member.deviceMajor), let minor = UInt32(exactly: member.deviceMinor)
        else { throw LayerError(.damaged, "'\(path.text)' in the layer has an impossible owner or device number") }
        let entry = LayerEntry(
            path: path, kind: kind, permissions: UInt32(truncatingIfNeeded: member.mode) & 0o7777, owner: owner,
            group: group, size: kind == .regular ? member.fileSize : 0, modified: member.modified,
            linkTarget: try linkTarget(member, kind), deviceMajor: major, deviceMinor: minor,
            attributes: member.attributes.isEmpty
                ? [] : member.attributes.filter { !OverlayAttribute.isInternal($0.name) })
        // Layers archived from an overlay's directory, without translating its marks.
        return readsMarks && entry.isWhiteoutDevice ? LayerEntry(path: path, kind: .whiteout) : entry
    }

    private static func kind(of type: UInt8) -> LayerEntry.Kind? {
        switch type {
        case UInt8(ascii: "0"): .regular
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symlink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        default: nil
        }
    }

    /// The longest target of a symbolic link on Linux, in bytes: `PATH_MAX` without the NUL.
    private static let maximumLinkTarget = 4095

    private static func linkTarget(_ member: TarMember, _ kind: LayerEntry.Kind) throws -> PathBytes {
        switch kind {
        case .hardLink: return try LayerPath.normalize(member.linkName)
        case .symlink:
            guard !member.linkName.isEmpty, !member.linkName.contains(0) else {
                throw LayerError(.unsafePath, "the link '\(member.displayName)' in the layer leads to no path")
            }
            guard member.linkName.count <= maximumLinkTarget else {
                throw LayerError(
                    .unsupported,
                    "the link '\(member.displayName)' in the layer leads to a path of \(member.linkName.count) bytes, "
                        + "more than the \(maximumLinkTarget) that Linux takes")
            }
            return PathBytes(member.linkName)
        default: return PathBytes([UInt8]())
        }
    }
}

/// Names in archives.
package enum LayerPath {
    /// Without `.` and empty components and slashes at the ends; empty for the root.
    ///
    /// Throws ``LayerError`` `.unsafePath` when there is a `..` or a NUL in it, or when it is too deep.
    package static func normalize(_ name: [UInt8]) throws -> PathBytes {
        if isNormal(name) { return PathBytes(name) }
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        var path: [UInt8] = []
        var depth = 0
        path.reserveCapacity(name.count)
        for component in name.split(separator: slash) where component != [dot] {
            guard component != [dot, dot], !component.contains(0) else {
                let text = String(decoding: name.prefix(300), as: UTF8.self)
                throw LayerError(.unsafePath, "the layer holds '\(text)', a name that leads out of it")
            }
            depth += 1
            guard depth <= PathBytes.depthLimit else { throw LayerError.tooDeep }
            if !path.isEmpty { path.append(slash) }
            path += component
        }
        return PathBytes(path)
    }

    /// Whether a name is sure to be normal: most are, and stay as they are.
    private static func isNormal(_ name: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        var before = slash
        var depth = 1
        for byte in name {
            if byte == 0 || before == slash && (byte == slash || byte == UInt8(ascii: ".")) { return false }
            if byte == slash { depth += 1 }
            before = byte
        }
        return before != slash && depth <= PathBytes.depthLimit
    }
}

/// The attributes with which overlayfs keeps its own records; they never belong to a layer.
package enum OverlayAttribute {
    package static func isInternal(_ name: PathBytes) -> Bool {
        name.bytes.starts(with: "trusted.overlay.".utf8) || name.bytes.starts(with: "user.overlay.".utf8)
    }

    /// The attribute for one purpose in both its forms.
    static func names(_ purpose: String) -> [PathBytes] {
        [PathBytes("trusted.overlay.\(purpose)"), PathBytes("user.overlay.\(purpose)")]
    }

    /// Whether fuse-overlayfs has set it: with a mark that is a file, too, where it means something.
    static func isOfServer(_ name: PathBytes) -> Bool { name.bytes.starts(with: "user.fuseoverlayfs.".utf8) }

    /// The mark of an opaque directory, under the name that it has in one of the forms.
    static func opaque(_ name: PathBytes) -> ExtendedAttribute {
        ExtendedAttribute(name: name, value: [UInt8(ascii: "y")])
    }
}
