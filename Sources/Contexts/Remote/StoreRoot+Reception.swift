import Diagnostics
import Linux
import OCI
import Registry
import Solver
import Store
import Synchronization

extension StoreRoot {
    /// Writes the body of an answer to the store piece by piece.
    ///
    /// - Throws: ``ContextsError`` `.checksum` for another content than expected.
    func receive(
        _ response: HTTPResponse, expecting checksum: Digest? = nil, step: StepReporter
    ) async throws -> RemoteFile {
        let length = response.fields["content-length"].flatMap { Int64($0) }
        let blob = try await offload { [self] in BlobReception(try content.begin(expecting: length ?? 0)) }
        var pending: [UInt8] = []
        var count: Int64 = 0
        for try await piece in response.body {
            pending += piece
            count += Int64(piece.count)
            // To write leaves the task, which is too dear for small pieces.
            guard pending.count >= 1 << 20 else { continue }
            let bytes = pending
            pending = []
            try await offload { try blob.write(bytes) }
            step.status("downloading", current: count, total: length)
        }
        if let length, length != count { throw HTTPResponse.truncated(count, of: length) }
        let bytes = pending
        let digest = try await offload {
            try blob.write(bytes)
            return try blob.commit(expecting: checksum)
        }
        step.status("downloading", current: count, total: length, isComplete: true)
        return RemoteFile(
            digest: digest, size: count, tag: response.fields["etag"].flatMap { $0.isEmpty ? nil : $0 },
            modified: response.lastModified)
    }
}

/// A blob on its way in, which several threads write to in turn.
private final class BlobReception: Sendable {
    private struct State: ~Copyable {
        var ingest: Ingest?
    }

    private let state: Mutex<State>

    init(_ ingest: consuming sending Ingest) { state = Mutex(State(ingest: ingest)) }

    func write(_ bytes: [UInt8]) throws {
        try state.withLock { try $0.ingest?.write(bytes.span) }
    }

    func commit(expecting checksum: Digest?) throws -> Digest {
        try state.withLock { state in
            guard let ingest = state.ingest.take() else { preconditionFailure("a blob is committed once") }
            return try ingest.commit { digest in
                guard let checksum, checksum != digest else { return }
                throw ContextsError(
                    .checksum, "digest mismatch \(digest): \(checksum)",
                    hint: "The server sent another file than --checksum expects; check both.")
            }.digest
        }
    }
}
