import Diagnostics
package import OCI
import Synchronization

/// A small blob in memory.
package final class MemorySink: BlobSink, BlobWriter {
    private let content = Mutex<[UInt8]>([])
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    package var bytes: [UInt8] { content.withLock { $0 } }

    package func contains(_ digest: Digest) throws -> Bool { false }

    package func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        guard descriptor.size <= limit else {
            throw TransportsError(.badArchive, "the document \(descriptor.digest) is larger than \(limit >> 20) MiB")
        }
        content.withLock { $0 = [] }
        return self
    }

    package func write(_ piece: Span<UInt8>) throws {
        let copy = unsafe piece.withUnsafeBufferPointer { unsafe Array($0) }
        content.withLock { $0 += copy }
    }

    package func commit(as digest: Digest) throws {}

    package func discard() {}
}
