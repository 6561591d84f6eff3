import Diagnostics
import Glibc
import Linux
import OCI
import SystemPackage

@testable import Transports

/// A directory that is gone when its test is over.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        var template = Array("/tmp/lamina-transports-XXXXXX".utf8CString)
        unsafe mkdtemp(&template)
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { _ = unsafe system("rm -rf '\(path)'") }

    func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
        let file = path.appending(name)
        try OwnedDescriptor.open(
            file, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite]
        ).write(bytes.span)
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(path.appending(name)).readAll(limit: 64 << 20)
    }

    /// The names in the directory.
    func names() throws -> [String] { try Directory(opening: path).names().map(\.text) }
}

/// The transports that are files, by their names in a table.
enum FileTransport: String, CaseIterable, Sendable {
    case layout, ociArchive, dockerArchive, directory

    func writer(_ scratch: Scratch, _ selector: ImageSelector = .only) throws -> any ImageWriter {
        let path = scratch.path.appending(rawValue)
        switch self {
        case .layout: return try LayoutImageWriter(path, selector)
        case .ociArchive: return try ArchiveImageWriter(path, selector, .oci)
        case .dockerArchive: return try ArchiveImageWriter(path, selector, .docker)
        case .directory: return try DirectoryImageWriter(path)
        }
    }

    func reader(_ scratch: Scratch, _ selector: ImageSelector = .only) throws -> FileImageReader {
        let path = scratch.path.appending(rawValue)
        switch self {
        case .layout: return try Self.reader(try DirectoryFiles(path), selector)
        case .ociArchive, .dockerArchive: return try Self.reader(try ArchiveFile(path), selector)
        case .directory: return try FileImageReader(directory: try DirectoryFiles(path))
        }
    }

    static func reader(_ files: any ImageFiles, _ selector: ImageSelector = .only) throws -> FileImageReader {
        let images = try FileImages(files)
        return try images.reader(try images.item(selector))
    }

    var takesIndexes: Bool { self != .dockerArchive }
}

extension ImageReader {
    /// The digests of all that the image consists of, the root's first, after each was read and compared with its digest.
    func contents() async throws -> [Digest] {
        let top = try await root()
        var digests = [top.descriptor.digest]
        var open = try BlobTree.descriptors(in: top.bytes)
        while let blob = open.popLast() {
            digests.append(blob.digest)
            let sink = MemorySink(limit: 64 << 20)
            try await copy(blob, into: sink) { _ in }
            if blob.mayNameBlobs { open += try BlobTree.descriptors(in: sink.bytes) }
        }
        return digests
    }
}

/// The message of an error, and its hint.
func sentence(_ error: (any Error)?) -> String {
    let failure = error as? any AnyFailure
    return [failure?.message, failure?.hint].compactMap(\.self).joined(separator: " | ")
}
