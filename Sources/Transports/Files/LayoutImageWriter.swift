import Diagnostics
import Linux
package import OCI
import Synchronization
package import SystemPackage
import Trees

/// Writes an image into a directory that is an OCI layout, or becomes one. What is there stays.
package final class LayoutImageWriter: ImageWriter {
    private let layout: LayoutDirectory
    private let tag: String?
    /// The whole names, for readers that look for these.
    private let names: [ImageReference]
    private let root = Mutex<Descriptor?>(nil)

    /// Throws ``TransportsError`` `.badName` for a selector that names nothing, and `.notEmpty` when the directory holds
    /// something else.
    package convenience init(_ path: FilePath, _ selector: ImageSelector) throws {
        try self.init(path, tag: try selector.newName(), names: [])
    }

    /// Writes one of several images under whole names; their tags are its tags in the layout.
    package convenience init(_ path: FilePath, names: [ImageReference]) throws {
        try self.init(path, tag: nil, names: names)
    }

    private init(_ path: FilePath, tag: String?, names: [ImageReference]) throws {
        self.tag = tag
        self.names = names
        layout = LayoutDirectory(path)
        if let directory = try? Directory(opening: path), try directory.statusIfExists("oci-layout") == nil,
            try !directory.names().isEmpty
        {
            throw TransportsError(
                .notEmpty, "the directory '\(path)' is not empty and is no OCI layout", hint: "Name a new directory.")
        }
        try layout.create()
    }

    package let capacity: WriterCapacity = {
        var capacity = WriterCapacity()
        capacity.compressesNewLayers = true
        capacity.takesReferrers = true
        return capacity
    }()

    package func write(
        _ document: ImageDocument, _ blobs: [Descriptor], from source: BlobProvider, isRoot: Bool,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws -> Descriptor {
        let sink = DirectorySink { [layout] in layout.path(of: $0) }
        try await BlobWriting.copy(blobs, from: source, into: sink, limit: 4, report: report)
        try await offload { [layout] in try layout.write(document.bytes) }
        if isRoot { root.withLock { $0 = document.descriptor } }
        return document.bare
    }

    package func note(_ referrer: IndexDocument.Entry, on subject: Digest) async throws {
        try await offload { [layout] in try layout.add(referrer: referrer) }
    }

    package func finish() async throws {
        guard let root = root.withLock({ $0 }) else { return }
        try await offload { [layout, tag, names] in
            if names.isEmpty { try layout.name(root, tag: tag) }
            for name in names { try layout.name(root, as: name) }
        }
    }
}

extension ImageSelector {
    /// The name for an image that is written. Throws ``TransportsError`` `.badName` for what only chooses one.
    func newName() throws -> String? {
        switch self {
        case .only: return nil
        case .name(let name): return name
        case .index, .digest:
            throw TransportsError(
                .badName, "'\(description)' chooses an image that is there and names no new one",
                hint: "Write a tag after the path and a colon.")
        }
    }
}

/// Copies blobs to a place of files.
package enum BlobWriting {
    /// Brings blobs into a sink, each once and at most `limit` at the same time.
    package static func copy(
        _ blobs: [Descriptor], from source: BlobProvider, into sink: any BlobSink, limit: Int,
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        var seen: Set<Digest> = []
        let wanted = blobs.filter { seen.insert($0.digest).inserted }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, blob) in wanted.enumerated() {
                if index >= limit { try await group.next() }
                group.addTask {
                    if try await offload({ try sink.contains(blob.digest) }) { return report(.layerExists(blob)) }
                    try await source.copy(blob, into: sink) { report(.layerProgress(blob, $0)) }
                    report(.layerDone(blob))
                }
            }
            try await group.waitForAll()
        }
    }
}

/// A directory of blobs, each in a file of its own.
struct DirectorySink: BlobSink {
    let path: @Sendable (Digest) -> FilePath

    /// A file of another size than its blob never has its name: it gets that when it is whole.
    func contains(_ digest: Digest) throws -> Bool { (try? FileStatus(of: path(digest)))?.type == .regular }

    func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        ReplacementWriter(try FileReplacement(path(descriptor.digest)))
    }
}

private final class ReplacementWriter: BlobWriter {
    private let replacement: FileReplacement
    private let space = Mutex(SpaceGuard())

    init(_ replacement: FileReplacement) { self.replacement = replacement }

    func write(_ bytes: Span<UInt8>) throws {
        let (count, file) = (Int64(bytes.count), replacement.file.raw)
        try space.withLock { try $0.spend(count, on: file) }
        try replacement.file.write(bytes)
    }

    func commit(as digest: Digest) throws { try replacement.commit() }

    func discard() { replacement.discard() }
}
