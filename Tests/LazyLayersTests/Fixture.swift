import Glibc
import LazyLayers
import Linux
import OCI
import SystemPackage
import Testing

/// A directory with an archive, which is removed when the test is done with it.
struct Workshop: ~Copyable {
    let path: FilePath

    /// Makes the directory, and `archive.tar` in it by these commands of a shell.
    init(_ commands: String) throws {
        var template = Array("/tmp/lamina-lazy-XXXXXX".utf8CString)
        unsafe mkdtemp(&template)
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        #expect(shell("cd '\(path)' && mkdir files && cd files && \(commands)") == 0)
    }

    deinit { shell("rm -rf '\(path)'") }

    var archive: SharedDescriptor {
        get throws { SharedDescriptor(try .open(path.appending("archive.tar"))) }
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(path.appending(name)).readAll(limit: 64 << 20)
    }

    /// Writes a layer by `body`, and returns its bytes besides what `body` does.
    func written(
        _ body: (@escaping (Span<UInt8>) throws -> Void) throws -> (blob: Descriptor, diffID: DiffID)
    ) throws -> (blob: Descriptor, diffID: DiffID, bytes: [UInt8]) {
        let collector = Collector()
        let (blob, diffID) = try body { collector.append($0) }
        #expect(blob.digest == Digest(of: collector.bytes))
        #expect(blob.size == Int64(collector.bytes.count))
        return (blob, diffID, collector.bytes)
    }

    /// The findings of the reader of the specification about a layer.
    func reading(_ format: String, _ bytes: [UInt8], _ facts: [String?]) throws -> JSON {
        let blob = path.appending("blob")
        try OwnedDescriptor.open(
            blob, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite
        ).write(bytes.span)
        let words = [format, blob.string] + facts.map { $0 ?? "missing" }
        let script = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("testdata/lazy/read.py")
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let status = shell("python3 '\(script)' \(quoted) >'\(path)/said' 2>'\(path)/errors'")
        let errors = String(decoding: try self.bytes("errors"), as: UTF8.self)
        try #require(status == 0, "\(errors)")
        return try JSON(parsing: try self.bytes("said"))
    }

    func estargz(prefetching paths: [PathBytes] = [], threads: Int = 2) throws -> (
        blob: Descriptor, diffID: DiffID, bytes: [UInt8]
    ) {
        let archive = try archive
        return try written { try EStargzLayer.write(archive, prefetching: paths, threads: threads, to: $0) }
    }

    func reading(estargz layer: (blob: Descriptor, diffID: DiffID, bytes: [UInt8])) throws -> JSON {
        let annotations = layer.blob.annotations
        return try reading(
            "estargz", layer.bytes, [annotations[LazyAnnotation.tableDigest], annotations[LazyAnnotation.archiveSize]])
    }

    func chunked(threads: Int = 2) throws -> (blob: Descriptor, diffID: DiffID, bytes: [UInt8]) {
        let archive = try archive
        return try written { try ChunkedLayer.write(archive, threads: threads, to: $0) }
    }

    func reading(chunked layer: (blob: Descriptor, diffID: DiffID, bytes: [UInt8])) throws -> JSON {
        let annotations = layer.blob.annotations
        return try reading(
            "zstd:chunked", layer.bytes,
            [LazyAnnotation.tableChecksum, LazyAnnotation.tablePosition, LazyAnnotation.splitPosition].map {
                annotations[$0]
            })
    }
}

@discardableResult
func shell(_ command: String) -> CInt { unsafe system(command) }

enum Host {
    static let hasPython = shell("python3 -c pass >/dev/null 2>&1") == 0
}

/// Collects what is written, by one thread after another.
final class Collector: @unchecked Sendable {
    // Unchecked: a layer is written by one thread at a time, and read when it is whole.
    private(set) var bytes: [UInt8] = []

    func append(_ piece: Span<UInt8>) { unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) } }
}
