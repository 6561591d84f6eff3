import Layers
import Linux
import OCI
import Store
import Synchronization

/// Puts blobs into the store, and records what the layers among them hold, which are read while they arrive.
struct IndexingSink: BlobSink {
    let storage: LayerStorage
    /// The way to read layers. It is called once for each attempt to bring one, also for one that fails.
    var reading: LayerReading = { try LayerReader.readFileList(from: $0) }

    func contains(_ digest: Digest) throws -> Bool { try storage.store.content.contains(digest) }

    func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        let writer = try storage.store.content.writer(for: descriptor)
        return descriptor.mediaType.isLayer ? IndexingWriter(descriptor, writer, storage, reading) : writer
    }
}

/// One layer on its way into the store.
private final class IndexingWriter: BlobWriter {
    private let blob: Descriptor
    private let writer: any BlobWriter
    private let storage: LayerStorage
    private let pass: LayerPass

    init(
        _ blob: Descriptor, _ writer: any BlobWriter, _ storage: LayerStorage, _ reading: @escaping LayerReading
    ) {
        pass = LayerPass(reading)
        self.blob = blob
        self.writer = writer
        self.storage = storage
    }

    deinit { pass.abandon() }

    func write(_ bytes: Span<UInt8>) throws {
        pass.write(bytes)
        try writer.write(bytes)
    }

    func commit(as digest: Digest) throws {
        try writer.commit(as: digest)
        try storage.record(pass.finish(), of: blob)
    }

    func discard() {
        pass.abandon()
        writer.discard()
    }
}
