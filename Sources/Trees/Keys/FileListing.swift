package import Layers
package import Linux
import OCI

/// The files that went into a key, with what counts of each: as compact as it can be made without much work, because
/// every build makes it, and only one with a new key keeps it.
package struct FileListing: Sendable {
    /// One file of a listing.
    package struct File: Hashable, Sendable {
        package var path: PathBytes
        package var kind: LayerEntry.Kind
        package var permissions: UInt32
        package var owner: UInt32
        package var group: UInt32
        /// Of a regular file, in bytes.
        package var size: Int64
        /// The target of a symbolic link as it is written; for a file that is reached through links, its own path.
        package var linkTarget: PathBytes
        /// The first of the listed names of a file that has several, if this is another one.
        package var hardLink: PathBytes
        /// The beginning of the content's SHA-256 for a regular file, else of that of the device's numbers; and
        /// extended attributes.
        package var content: UInt64
        package var attributes: UInt64

        package init(
            path: PathBytes, kind: LayerEntry.Kind, permissions: UInt32, owner: UInt32, group: UInt32, size: Int64,
            linkTarget: PathBytes = "", hardLink: PathBytes = "", content: UInt64 = 0, attributes: UInt64 = 0
        ) {
            self.path = path
            self.kind = kind
            self.permissions = permissions
            self.owner = owner
            self.group = group
            self.size = size
            self.linkTarget = linkTarget
            self.hardLink = hardLink
            self.content = content
            self.attributes = attributes
        }
    }

    /// The metadata of a file that is a part of a key.
    package enum CountedMetadata: Sendable {
        /// Mode, owner and attributes.
        case all
        case mode
        case none
    }

    /// Changes at the end with the format.
    private static let magic = Array("lamina-list-2\n".utf8)
    private static let formerMagic = Array("lamina-list-1\n".utf8)
    package private(set) var encoded = Self.magic

    package init() {}

    /// Notes a file by the path by which the source reaches it.
    ///
    /// `digest` is the SHA-256 of a regular file's bytes, `target` the path of the file itself where links lead to it,
    /// `hardLink` the first of the listed names of the file where this is another one. `metadata` says what counts of it.
    package mutating func append(
        _ node: FileNode, digest: [UInt8], at path: PathBytes, leadsTo target: PathBytes? = nil,
        hardLink: PathBytes? = nil, metadata: CountedMetadata = .all
    ) {
        let entry = node.entry
        encoded.append(entry.kind.rawValue)
        append(metadata == .none ? 0 : UInt64(entry.permissions))
        append(metadata == .all ? UInt64(entry.owner) : 0)
        append(metadata == .all ? UInt64(entry.group) : 0)
        append(entry.kind == .regular ? UInt64(clamping: entry.size) : 0)
        append(path)
        append(target ?? entry.linkTarget)
        append(hardLink ?? "")
        switch entry.kind {
        case .regular: encoded += digest.prefix(8)
        case .characterDevice, .blockDevice: append(UInt64(entry.deviceMajor) << 32 | UInt64(entry.deviceMinor))
        default: break
        }
        guard metadata == .all, !entry.attributes.isEmpty else { return encoded.append(0) }
        encoded.append(8)
        var hasher = DigestHasher()
        for attribute in entry.attributes {
            hasher.update("\(attribute.name.bytes.count):\(attribute.value.count):")
            hasher.update(attribute.name.bytes.span)
            hasher.update(attribute.value.span)
        }
        encoded += hasher.finishBytes().prefix(8)
    }

    private mutating func append(_ path: PathBytes) {
        append(UInt64(path.bytes.count))
        encoded += path.bytes
    }

    /// LEB128.
    private mutating func append(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            encoded.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        encoded.append(UInt8(rest))
    }
}

extension FileListing {
    /// Whether the bytes are a list, be it in the format of former versions, which cannot be compared any more.
    package static func isListing(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: formerMagic) || decode(bytes) != nil
    }

    /// Reads what ``encoded`` gives; `nil` when it is anything else.
    package static func decode(_ bytes: [UInt8]) -> [File]? {
        guard bytes.starts(with: magic) else { return nil }
        var reader = Reader(bytes: bytes, position: magic.count)
        var files: [File] = []
        while reader.position < bytes.count {
            guard let file = reader.file() else { return nil }
            files.append(file)
        }
        return files
    }

    private struct Reader {
        let bytes: [UInt8]
        var position: Int

        mutating func number() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while position < bytes.count, shift < 64 {
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }

        mutating func run(_ count: UInt64?) -> ArraySlice<UInt8>? {
            guard let count, count <= UInt64(bytes.count - position) else { return nil }
            defer { position += Int(count) }
            return bytes[position..<position + Int(count)]
        }

        mutating func hash() -> UInt64? { run(8)?.reduce(0) { $0 << 8 | UInt64($1) } }

        mutating func file() -> File? {
            guard let kind = run(1)?.first.flatMap(LayerEntry.Kind.init), let permissions = number(),
                let owner = number(), let group = number(), let size = number(), let path = run(number()),
                let target = run(number()), let hardLink = run(number())
            else { return nil }
            var file = File(
                path: PathBytes(path), kind: kind, permissions: UInt32(truncatingIfNeeded: permissions),
                owner: UInt32(truncatingIfNeeded: owner), group: UInt32(truncatingIfNeeded: group),
                size: Int64(clamping: size), linkTarget: PathBytes(target), hardLink: PathBytes(hardLink))
            switch kind {
            case .regular:
                guard let hash = hash() else { return nil }
                file.content = hash
            case .characterDevice, .blockDevice:
                guard let device = number() else { return nil }
                file.content = device
            default: break
            }
            guard let count = run(1)?.first else { return nil }
            if count > 0 {
                guard let hash = hash() else { return nil }
                file.attributes = hash
            }
            return file
        }
    }
}
