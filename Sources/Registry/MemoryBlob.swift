import OCI
import Synchronization

/// One blob in memory.
final class MemoryBlob: BlobSink, BlobWriter {
    private let content = Mutex<[UInt8]>([])

    var bytes: [UInt8] { content.withLock { $0 } }

    func contains(_ digest: Digest) throws -> Bool { false }

    func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        content.withLock { $0 = [] }
        return self
    }

    func write(_ piece: Span<UInt8>) throws {
        let copy = unsafe piece.withUnsafeBufferPointer { unsafe Array($0) }
        content.withLock { $0 += copy }
    }

    func commit(as digest: Digest) throws {}

    func discard() {}
}
