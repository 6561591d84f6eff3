import Diagnostics
import Layers
import Linux
import OCI

/// The members of an uncompressed archive in a file, each with its place there.
struct TarIndex {
    struct Member {
        let fields: TarMember
        /// The header blocks, those of long names and extended records included.
        let header: Range<Int64>
        /// The name without `.`, empty parts and slashes at the ends.
        let path: PathBytes

        var content: Range<Int64> { header.upperBound..<header.upperBound + fields.size }

        var isDirectory: Bool { fields.type == UInt8(ascii: "5") }
        var isHardLink: Bool { fields.type == UInt8(ascii: "1") }
        var isRegular: Bool { fields.type == UInt8(ascii: "0") }
    }

    let members: [Member]
    /// The size of the file in bytes.
    let size: Int64

    /// Reads the headers of the archive.
    ///
    /// Throws ``LazyLayersError`` `.unsupported` for what neither format can hold, and what ``TarReader`` throws.
    init(_ file: SharedDescriptor) throws {
        size = try file.descriptor.status().size
        var tar = TarReader(try SkippingStream(file))
        var window = FileWindow(file)
        var (end, found): (Int64, [Member]) = (0, [])
        while try tar.next() {
            let member = tar.member
            guard !member.isSparse else { throw Self.unsupported(member, "is a file with holes") }
            let header = end..<tar.offset
            if header.count > Tar.block, try Self.isGlobal(header, &window) {
                throw Self.unsupported(member, "follows a header for all files")
            }
            let texts = [member.name, member.linkName, member.userName, member.groupName]
            guard (texts + member.attributes.map(\.name.bytes)).allSatisfy(\.isUTF8) else {
                throw Self.unsupported(member, "has a name that is not UTF-8")
            }
            guard member.size <= size - header.upperBound else {
                throw LayerError(.truncated, "the layer's archive ends in the middle of a file")
            }
            found.append(Member(fields: member, header: header, path: Self.path(member.name)))
            end = (header.upperBound + member.size + 511) & ~511
        }
        members = found
    }

    private static func unsupported(_ member: TarMember, _ what: String) -> LazyLayersError {
        LazyLayersError(
            .unsupported,
            "'\(member.displayName)' in a layer \(what), which layers that are fetched in parts cannot hold",
            hint: "Compress the layers with gzip or zstd.")
    }

    /// Whether the header before a member is one for all members behind it.
    private static func isGlobal(_ header: Range<Int64>, _ window: inout FileWindow) throws -> Bool {
        var type: UInt8 = 0
        try window.read(header.lowerBound + 156..<header.lowerBound + 157) { type = $0[0] }
        return type == UInt8(ascii: "g")
    }

    static func path(_ name: [UInt8]) -> PathBytes {
        let parts = name.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
        return PathBytes(Array(parts.joined(separator: [UInt8(ascii: "/")])))
    }
}

/// Reads ranges of a file; a buffer serves those that follow one another.
struct FileWindow {
    private let file: SharedDescriptor
    private var buffer = [UInt8](repeating: 0, count: 512 << 10)
    /// The range that the buffer holds.
    private var held: Range<Int64> = 0..<0

    init(_ file: SharedDescriptor) { self.file = file }

    /// Passes on the bytes of a range, piece by piece. Throws ``LayerError`` `.truncated` when the file is shorter.
    mutating func read(_ range: Range<Int64>, _ body: (Span<UInt8>) throws -> Void) throws {
        var position = range.lowerBound
        while position < range.upperBound {
            if !held.contains(position) {
                held = 0..<0
                let count = try file.descriptor.read(into: &buffer, from: position)
                guard count > 0 else { throw LayerError(.truncated, "the layer's archive became shorter") }
                held = position..<position + Int64(count)
            }
            let end = min(held.upperBound, range.upperBound)
            try body(
                buffer.span.extracting(Int(position - held.lowerBound)..<Int(end - held.lowerBound)))
            position = end
        }
    }

    /// The bytes of a range, which must fit into memory.
    mutating func bytes(_ range: Range<Int64>) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        try read(range) { piece in unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) } }
        return bytes
    }
}

extension [UInt8] {
    var isUTF8: Bool { String(validating: self, as: UTF8.self) != nil }
}
