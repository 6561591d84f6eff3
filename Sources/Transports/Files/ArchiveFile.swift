import Diagnostics
import Layers
package import Linux
package import OCI
package import SystemPackage

/// The members of an archive, each of which can be read on its own.
///
/// An archive that is compressed, or comes through a pipe, is written to a file without a name first.
package struct ArchiveFile: ImageFiles {
    private struct Place: Sendable {
        let offset: Int64
        let size: Int64
    }

    package let place: String
    private let file: SharedDescriptor
    private var members: [PathBytes: Place] = [:]
    private var links: [PathBytes: PathBytes] = [:]

    /// Reads the names of the members; `name` is for messages.
    ///
    /// Throws ``TransportsError`` `.badArchive` for what is no archive, or is cut off.
    package init(_ source: consuming OwnedDescriptor, named name: String) throws {
        place = name
        let source = SharedDescriptor(source)
        do {
            file = try Self.isPlain(source) ? source : try Self.spooled(source)
            var scanner = try ArchiveScanner(file)
            let end = try file.descriptor.status().size
            while let member = try scanner.next() {
                let entry = member.entry
                switch entry.kind {
                case .regular:
                    guard entry.size <= end - member.offset else {
                        throw LayerError(.truncated, "it ends in the middle of '\(entry.path.text)'")
                    }
                    members[entry.path] = Place(offset: member.offset, size: entry.size)
                case .hardLink: links[entry.path] = PathBytes("/" + entry.linkTarget.text)
                case .symlink: links[entry.path] = entry.linkTarget
                default: continue
                }
            }
        } catch let error as LayerError {
            throw TransportsError(
                .badArchive, "\(name) cannot be read as an archive: \(error.message)", hint: error.hint, cause: error)
        }
    }

    /// Opens an archive; `-` is the standard input.
    package init(_ path: FilePath) throws {
        let isStandardInput = path == "-"
        let source =
            isStandardInput
            ? OwnedDescriptor(try FileDescriptor.standardInput.duplicate()) : try OwnedDescriptor.open(path)
        guard try source.status().type != .directory else {
            throw TransportsError(
                .badArchive, "'\(path)' is a directory and not an archive",
                hint: "Write oci:\(path) for an OCI layout, or dir:\(path) for a directory of skopeo's.")
        }
        try self.init(source, named: isStandardInput ? "the standard input" : "'\(path)'")
    }

    /// Whether the members can be read where they are: in a regular file, from its beginning, without compression.
    private static func isPlain(_ source: SharedDescriptor) throws -> Bool {
        guard try source.descriptor.status().type == .regular,
            try source.descriptor.raw.seek(offset: 0, from: .current) == 0
        else { return false }
        var start = [UInt8](repeating: 0, count: 6)
        let count = try source.descriptor.read(into: &start, from: 0)
        return StreamFormat(magic: start.prefix(count)) == .plain
    }

    private static func spooled(_ source: SharedDescriptor) throws -> SharedDescriptor {
        let spool = try SpooledFile()
        let stream = try DecompressedStream(SharedStream(source))
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try stream.read(into: &buffer)
            if count == 0 { return spool.descriptor }
            try spool.write(buffer.span.extracting(..<count))
        }
    }

    /// A member by its path, through links inside the archive.
    private func member(_ name: String) -> Place? {
        members[PathBytes(name).followingLinks { links[$0] } ?? PathBytes(name)]
    }

    package func size(of name: String) throws -> Int64? { member(name)?.size }

    package func reader(of name: String, from offset: Int64) throws -> any BlobReader {
        guard let member = member(name) else {
            throw TransportsError(.badArchive, "\(place) has no file '\(name)'")
        }
        let start = min(offset, member.size)
        return FileRangeReader(file, member.offset + start..<member.offset + member.size)
    }

    package var isOldDockerArchive: Bool {
        let names = Set(members.keys).union(links.keys)
        return names.contains { path in
            path.lastComponent == "layer.tar" && names.contains(path.parent.appending("json"))
        }
    }
}
