import Diagnostics
import Linux
package import OCI
import Synchronization

extension RegistryClient {
    /// Fetches a blob into `sink`, unless it is there.
    ///
    /// A connection that breaks is taken up where it broke. Where one connection is slow, the rest of a large blob comes in
    /// several ranges at once, as ``PiecePolicy`` says. About 1 MiB of a blob is in memory, or the ranges under way.
    ///
    /// `progress` is called with the number of bytes of this blob that have arrived so far. Throws `RegistryError`, e.g.
    /// `.digestMismatch`; what the sink throws passes unchanged.
    package func fetchBlob(
        _ descriptor: Descriptor, of reference: ImageReference, into sink: some BlobSink,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws {
        if try await offload({ try sink.contains(descriptor.digest) }) { return }
        try await describing("cannot pull \(reference)") {
            try await reading(reference) { connection in
                let writer = try await offload { try sink.writer(for: descriptor) }
                do {
                    var reception = BlobReception(descriptor, into: writer)
                    try await connection.fetch(&reception, progress: progress)
                    try await reception.finish()
                } catch {
                    writer.discard()
                    throw error
                }
            }
        }
    }
}

extension RegistryClient {
    /// Part of a blob as the registry sends it. It is not compared with its digest, and a connection that breaks is not
    /// taken up again: both are left to the caller.
    package func blobStream(
        _ descriptor: Descriptor, of reference: ImageReference, _ range: Range<Int64>
    ) async throws -> ByteStream {
        try await describing("cannot pull \(reference)") {
            try await reading(reference) { connection in
                try await connection.retry.run { _ in try await connection.stream(descriptor, range) }
            }
        }
    }
}

extension RegistryClient {
    /// The blobs that a repository says it does not have. One of which it cannot tell counts as there.
    package func missingBlobs(
        of blobs: [Descriptor], in reference: ImageReference
    ) async throws -> [Descriptor] {
        guard !blobs.isEmpty else { return [] }
        return try await describing("cannot pull \(reference)") {
            try await withThrowingTaskGroup(of: Descriptor?.self) { group in
                var missing: [Descriptor] = []
                for (index, blob) in blobs.enumerated() {
                    if index >= 8, let found = try await group.next() ?? nil { missing.append(found) }
                    group.addTask { try await has(blob, reference) ? nil : blob }
                }
                for try await found in group { if let found { missing.append(found) } }
                return missing
            }
        }
    }
}

extension RegistryClient {
    /// Whether a mirror or the registry has a blob, as far as they tell.
    private func has(_ blob: Descriptor, _ reference: ImageReference) async throws -> Bool {
        do {
            return try await reading(reference) { connection in
                let request = HTTPRequest(.head, connection.url("blobs/\(blob.digest)"))
                return try await connection.send(request, for: .pull, expecting: [200]).response.status == 200
            }
        } catch let error as RegistryError {
            guard error.code != .blocked, error.code != .configuration else { throw error }
            return error.code != .notFound
        }
    }
}

/// Bytes in memory that is used again for each piece: fresh memory costs more than what is done with it.
private final class PendingBytes: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    /// Adds bytes, and says how many there are.
    func append(_ more: ArraySlice<UInt8>) -> Int {
        bytes.withLock { bytes in
            bytes += more
            return bytes.count
        }
    }

    func write(to writer: any BlobWriter) throws {
        try bytes.withLock { bytes in
            if !bytes.isEmpty { try writer.write(bytes.span) }
            bytes.removeAll(keepingCapacity: true)
        }
    }
}

/// A blob on its way in.
struct BlobReception: ~Copyable {
    let descriptor: Descriptor
    private let writer: any BlobWriter
    private var hasher = DigestHasher()
    /// Bytes that have arrived but are not written: writing leaves the task, which is too dear for small pieces.
    private let pending = PendingBytes()
    /// Bytes that have arrived.
    private(set) var count: Int64 = 0

    private static let pieceSize = 1 << 20

    init(_ descriptor: Descriptor, into writer: any BlobWriter) {
        self.descriptor = descriptor
        self.writer = writer
    }

    mutating func take(_ bytes: ArraySlice<UInt8>) async throws {
        guard count + Int64(bytes.count) <= descriptor.size else {
            throw RegistryError(
                .digestMismatch, "the blob \(descriptor.digest) is longer than \(descriptor.size) bytes")
        }
        count += Int64(bytes.count)
        hasher.update(bytes.span)
        if pending.append(bytes) >= Self.pieceSize { try await flush() }
    }

    /// Takes many bytes as if they came in pieces of the usual size.
    mutating func takeAll(_ bytes: [UInt8]) async throws {
        for start in stride(from: 0, to: bytes.count, by: Self.pieceSize) {
            try await take(bytes[start..<min(bytes.count, start + Self.pieceSize)])
        }
    }

    private func flush() async throws {
        try await offload { [pending, writer] in try pending.write(to: writer) }
    }

    consuming func finish() async throws {
        try await flush()
        let wanted = descriptor.digest
        let writer = writer
        let found = hasher.finish()
        guard found == wanted else {
            throw RegistryError(
                .digestMismatch, "the blob \(wanted) arrived as \(found)",
                hint: "Try again; if it stays so, the registry or a proxy before it is broken.")
        }
        try await offload { try writer.commit(as: found) }
    }
}

extension RepositoryConnection {
    /// After so many bytes a broken connection counts as a fresh start, so that slow lines get through in the end.
    private static let amends: Int64 = 1 << 20

    fileprivate func fetch(
        _ reception: inout BlobReception, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        var failures = 0
        var pieces = pieces
        repeat {
            try Task.checkCancellation()
            let start = reception.count
            do {
                guard try await receive(&reception, pieces, progress: progress) == .slow, let turn = pieces else {
                    continue
                }
                defer { turn.giveBack() }
                if try await !receiveInPieces(&reception, turn.policy, progress: progress) { pieces = nil }
            } catch {
                failures = reception.count - start >= Self.amends ? 1 : failures + 1
                if failures >= retry.limit(after: error) || !retry.isTransient(error) { throw error }
                try await retry.rest(after: failures, error)
            }
        } while reception.count < reception.descriptor.size
    }

    /// The end of an answer with a blob.
    private enum Receipt {
        case complete
        /// It was given up, as several connections may bring the rest sooner. The turn for that is taken.
        case slow
    }

    /// Receives the rest of the blob from one connection.
    private func receive(
        _ reception: inout BlobReception, _ pieces: PieceTurn?, progress: (Int64) -> Void
    ) async throws -> Receipt {
        let descriptor = reception.descriptor
        let start = reception.count
        let response = try await blob(descriptor, from: start)
        var skip = try Self.surplus(of: response, start: start, size: descriptor.size)
        let iterator = response.body.makeAsyncIterator()
        let hasRanges = response.status == 206 || response.fields["accept-ranges"]?.lowercased() == "bytes"
        var pace = ArrivalPace()
        while let piece = try await pace.next(iterator) {
            let slice = piece.dropFirst(Int(min(skip, Int64(piece.count))))
            skip -= Int64(piece.count - slice.count)
            if slice.isEmpty { continue }
            try await reception.take(slice)
            progress(reception.count)
            let rest = descriptor.size - reception.count
            if let pieces, hasRanges, pace.isSlow(rest: rest, pieces.policy), pieces.take() { return .slow }
        }
        guard reception.count == descriptor.size else {
            throw RegistryError(
                .connectionLost,
                "the blob \(descriptor.digest) ended after \(reception.count) of \(descriptor.size) bytes")
        }
        return .complete
    }

    fileprivate func stream(_ descriptor: Descriptor, _ range: Range<Int64>) async throws -> ByteStream {
        let response = try await blob(descriptor, from: range.lowerBound)
        let skip = try Self.surplus(of: response, start: range.lowerBound, size: descriptor.size)
        return ByteStream {
            let iterator = response.body.makeAsyncIterator()
            var (skip, remaining) = (skip, Int64(range.count))
            return {
                while remaining > 0, let piece = try await iterator.next() {
                    let wanted = piece.dropFirst(Int(min(skip, Int64(piece.count)))).prefix(Int(remaining))
                    skip = max(0, skip - Int64(piece.count))
                    if wanted.isEmpty { continue }
                    remaining -= Int64(wanted.count)
                    return Array(wanted)
                }
                guard remaining == 0 else {
                    throw RegistryError(
                        .connectionLost, "the blob \(descriptor.digest) ended \(remaining) bytes too early")
                }
                return nil
            }
        }
    }

    /// Asks for a blob: the registry first, then, for a foreign layer it does not have, the places its descriptor names.
    private func blob(_ descriptor: Descriptor, from start: Int64) async throws -> HTTPResponse {
        let fields: HTTPFields = start > 0 ? ["Range": "bytes=\(start)-"] : [:]
        let statuses: Set<Int> = start > 0 ? [200, 206] : [200]
        do {
            let request = HTTPRequest(.get, url("blobs/\(descriptor.digest)"), fields)
            return try await send(request, for: .pull, expecting: statuses, repeats: false).response
        } catch let error as RegistryError where start > 0 && (error.cause as? Refusal)?.isAboutTheRange == true {
            // Of the whole blob that follows, the part that is here is passed over.
            let request = HTTPRequest(.get, url("blobs/\(descriptor.digest)"))
            return try await send(request, for: .pull, expecting: [200], repeats: false).response
        } catch let error as RegistryError where error.code == .notFound {
            for place in descriptor.urls {
                guard let url = try? HTTPURL(parsing: place), url.scheme == .https else { continue }
                let answer = try? await send(
                    HTTPRequest(.get, url, fields), for: .pull, expecting: statuses, repeats: false)
                if let answer { return answer.response }
            }
            throw error
        }
    }

    /// How many bytes of the body come before those wanted: all before `start` when the server ignores the range.
    private static func surplus(of response: HTTPResponse, start: Int64, size: Int64) throws -> Int64 {
        if response.status == 206 {
            let range = response.fields["content-range"] ?? ""
            let numbers = range.split { !$0.isNumber && $0 != "*" && $0 != "-" && $0 != "/" }.last?
                .split { $0 == "-" || $0 == "/" }.map(String.init)
            guard range.hasPrefix("bytes "), let numbers, numbers.count == 3, Int64(numbers[0]) == start,
                numbers[2] == "*" || Int64(numbers[2]) == size
            else {
                throw RegistryError(
                    .malformedResponse, "asked for a blob from byte \(start), got '\(range.printable(limit: 80))'")
            }
            return 0
        }
        if let length = response.fields["content-length"].flatMap({ Int64($0) }), length != size {
            throw RegistryError(.digestMismatch, "a blob has \(length) bytes instead of \(size)")
        }
        return start
    }
}
