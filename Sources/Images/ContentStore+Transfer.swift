import Diagnostics
import Linux
package import OCI
package import Store
import Synchronization

extension ContentStore: BlobSource, BlobSink {
    /// - Throws: ``StoreError`` `.notFound` when the blob is not here.
    package func reader(for descriptor: Descriptor, from offset: Int64) throws -> any BlobReader {
        guard let file = try open(descriptor.digest) else {
            throw StoreError(.notFound, "the blob \(descriptor.digest) is not in the store '\(root.path)'")
        }
        if offset > 0 { try file.seek(to: offset) }
        return StoredBlobReader(file)
    }

    package func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        StoredBlobWriter(try begin(expecting: descriptor.size), descriptor)
    }
}

private final class StoredBlobReader: BlobReader {
    private let file: OwnedDescriptor

    init(_ file: consuming OwnedDescriptor) { self.file = file }

    func read(into buffer: inout [UInt8]) throws -> Int { try file.read(into: &buffer) }
}

private final class StoredBlobWriter: BlobWriter {
    private struct State: ~Copyable {
        var ingest: Ingest?
        let append: (Span<UInt8>) throws -> Void
        var size: Int64 = 0
    }

    private let announced: Descriptor
    private let state: Mutex<State>

    init(_ ingest: consuming sending Ingest, _ announced: Descriptor) {
        self.announced = announced
        let append = ingest.sink
        state = Mutex(State(ingest: ingest, append: append))
    }

    func write(_ bytes: Span<UInt8>) throws {
        try state.withLock { state in
            state.size += Int64(bytes.count)
            guard state.size <= announced.size else { throw mismatch("more than \(announced.size) bytes") }
            if state.ingest != nil { try state.append(bytes) }
        }
    }

    func commit(as digest: Digest) throws {
        try state.withLock { state in
            guard let ingest = state.ingest.take() else { return }
            guard state.size == announced.size else {
                throw mismatch("\(state.size) bytes, not \(announced.size)")
            }
            guard digest == announced.digest else { throw mismatch("the digest \(digest)", .digestMismatch) }
            try ingest.commit(as: digest, size: state.size)
        }
    }

    func discard() { state.withLock { state in state.ingest = nil } }

    private func mismatch(_ what: String, _ code: StoreCode = .sizeMismatch) -> StoreError {
        StoreError(
            code, "the blob \(announced.digest) came with \(what)",
            hint: "Try again; if it stays so, whoever serves it has changed or damaged it.")
    }
}
