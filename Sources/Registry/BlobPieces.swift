import Diagnostics
import Logins
import OCI
import Synchronization

/// The conditions for fetching a blob in several ranges at once, and how many.
package struct PiecePolicy: Sendable {
    /// The time for which one connection must have been too slow.
    package var patience = Duration.seconds(2)
    /// The part of that time, of 100, that was spent waiting for the network and not with what arrived.
    package var waitingPercent = 70
    /// The part of a blob for which it is not worth it, in bytes.
    package var leastRest: Int64 = 32 << 20
    /// The size of a range in bytes. Those that arrive early wait in memory.
    package var size: Int64 = 4 << 20
    /// The number of ranges under way or waiting.
    package var count = 4

    package init() {}
}

/// The turn to fetch a blob in several ranges, which one blob of a client has at a time: more would take more memory, and
/// layers side by side use a line as well as ranges do.
final class PieceTurn: Sendable {
    let policy: PiecePolicy
    private let isTaken = Mutex(false)

    init(_ policy: PiecePolicy) { self.policy = policy }

    /// Takes the turn, unless another blob has it.
    func take() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }

    func giveBack() { isTaken.withLock { $0 = false } }
}

/// The time that the bytes of an answer take, and how much of it is spent waiting for them.
struct ArrivalPace {
    private let start = ContinuousClock.now
    private var waiting = Duration.zero

    mutating func next(_ iterator: ByteStream.AsyncIterator) async throws -> [UInt8]? {
        let before = ContinuousClock.now
        defer { waiting += before.duration(to: .now) }
        return try await iterator.next()
    }

    /// Whether more connections would probably bring the rest of a blob sooner.
    func isSlow(rest: Int64, _ policy: PiecePolicy) -> Bool {
        guard rest >= policy.leastRest, rest > 0 else { return false }
        let time = start.duration(to: .now)
        return time >= policy.patience && waiting * 100 >= time * policy.waitingPercent
    }
}

extension RepositoryConnection {
    /// Receives the rest of a blob in ranges that are under way at once. They are taken in order, so the digest is that of
    /// the whole.
    ///
    /// - Returns: `false` when a server does not send a range as it should; what was taken until then is good, and the rest
    ///   is to be had from one connection.
    func receiveInPieces(
        _ reception: inout BlobReception, _ policy: PiecePolicy, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> Bool {
        do {
            try await receivePieces(&reception, policy, progress)
            return true
        } catch  where error is RegistryError || error is LoginsError {
            try Task.checkCancellation()
            return false
        }
    }

    private func receivePieces(
        _ reception: inout BlobReception, _ policy: PiecePolicy, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let descriptor = reception.descriptor
        let arrivals = Arrivals(reception.count, progress)
        try await withThrowingTaskGroup(of: (start: Int64, bytes: [UInt8]).self) { group in
            var next = reception.count
            var underWay = 0
            var early: [Int64: [UInt8]] = [:]
            while reception.count < descriptor.size {
                while underWay + early.count < policy.count, next < descriptor.size {
                    let range = next..<min(descriptor.size, next + policy.size)
                    group.addTask { (range.lowerBound, try await piece(of: descriptor, range, arrivals)) }
                    next = range.upperBound
                    underWay += 1
                }
                if let bytes = early.removeValue(forKey: reception.count) {
                    try await reception.takeAll(bytes)
                } else if let piece = try await group.next() {
                    underWay -= 1
                    early[piece.start] = piece.bytes
                }
            }
        }
    }

    /// One range of a blob, which must come as it was asked for.
    private func piece(of descriptor: Descriptor, _ range: Range<Int64>, _ arrivals: Arrivals) async throws -> [UInt8] {
        let request = HTTPRequest(
            .get, url("blobs/\(descriptor.digest)"), ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
        let response = try await send(request, for: .pull, expecting: [206], repeats: false).response
        let wanted = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(descriptor.size)"
        guard response.fields["content-range"] == wanted else { throw Self.odd(range) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for try await piece in response.body {
            guard bytes.count + piece.count <= range.count else { throw Self.odd(range) }
            bytes += piece
            arrivals.add(piece.count)
        }
        guard bytes.count == range.count else { throw Self.odd(range) }
        return bytes
    }

    /// The error of a range that is another than was asked for. No user sees it.
    private static func odd(_ range: Range<Int64>) -> RegistryError {
        RegistryError(.malformedResponse, "the range \(range) of a blob did not come as it was asked for")
    }
}

/// The bytes of a blob that have arrived, in whatever order.
private final class Arrivals: Sendable {
    private let count: Mutex<Int64>
    private let progress: @Sendable (Int64) -> Void

    init(_ count: Int64, _ progress: @escaping @Sendable (Int64) -> Void) {
        self.count = Mutex(count)
        self.progress = progress
    }

    func add(_ bytes: Int) {
        count.withLock { count in
            count += Int64(bytes)
            progress(count)
        }
    }
}
