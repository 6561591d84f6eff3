import Diagnostics
import Logins
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct PieceTests {
    private static let bytes = noise(1 << 20)
    private let blob = Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: bytes), size: Int64(bytes.count))

    /// A client that fetches in ranges of 100,000 bytes as soon as it can.
    private func client(_ transport: FakeTransport) -> RegistryClient {
        makeClient(transport) {
            $0.pieces.patience = .zero
            $0.pieces.waitingPercent = 0
            $0.pieces.leastRest = 300_000
            $0.pieces.size = 100_000
            $0.pieces.count = 3
        }
    }

    /// The range that a request is for: that of a whole blob without one, `nil` as its end where it has none.
    private static func range(_ exchange: FakeTransport.Exchange) -> (start: Int, end: Int?) {
        guard let text = exchange.request.fields["Range"]?.dropFirst("bytes=".count) else { return (0, nil) }
        let numbers = text.split(separator: "-", omittingEmptySubsequences: false)
        return (Int(numbers[0]) ?? 0, Int(numbers[1]).map { $0 + 1 })
    }

    /// The answer of a server that knows ranges.
    private static func answer(_ exchange: FakeTransport.Exchange, of bytes: [UInt8] = bytes) -> HTTPResponse {
        let (start, end) = range(exchange)
        let part = bytes[start..<(end ?? bytes.count)]
        let pieces = stride(from: part.startIndex, to: part.endIndex, by: 30_000)
            .map { Array(part[$0..<min($0 + 30_000, part.endIndex)]) }
        let isPart = exchange.request.fields["Range"] != nil
        let field = "bytes \(part.startIndex)-\(part.endIndex - 1)/\(bytes.count)"
        return HTTPResponse(
            status: isPart ? 206 : 200, fields: isPart ? ["Content-Range": field] : ["Accept-Ranges": "bytes"],
            body: ByteStream(pieces))
    }

    @Test("The rest of a large blob comes in ranges that cover it once")
    func comesInRanges() async throws {
        let transport = FakeTransport { exchange, _ in Self.answer(exchange) }
        let sink = MemoryBlobs()
        let seen = Mutex<[Int64]>([])
        try await client(transport).fetchBlob(blob, of: image, into: sink) { count in seen.withLock { $0.append(count) }
        }
        #expect(sink[blob.digest] == Self.bytes)
        let ranges = transport.exchanges.map(Self.range)
        #expect(ranges[0].end == nil)
        let pieces = ranges.dropFirst().sorted { $0.start < $1.start }
        #expect(pieces.first?.start == 30_000 && pieces.last?.end == Self.bytes.count)
        #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.end == $1.start })
        let counts = seen.withLock { $0 }
        #expect(counts == counts.sorted() && counts.last == blob.size)
    }

    @Test(
        "A server that sends a range otherwise than asked for sends the rest in one",
        arguments: ["ignored", "shifted", "short", "long", "416", "403", "500", "401", "broken"])
    func oddAnswers(_ oddity: String) async throws {
        let bytes = Self.bytes
        let transport = FakeTransport { exchange, _ in
            let (start, end) = Self.range(exchange)
            // The second range is odd: what came before it counts.
            guard let end, start == 130_000 else { return Self.answer(exchange) }
            let field: HTTPFields = ["Content-Range": "bytes \(start)-\(end - 1)/\(bytes.count)"]
            switch oddity {
            case "ignored": return HTTPResponse(200, [:], bytes: bytes)
            case "shifted":
                return HTTPResponse(
                    206, ["Content-Range": "bytes 0-99999/\(bytes.count)"], bytes: Array(bytes[..<100_000]))
            case "short": return HTTPResponse(206, field, bytes: Array(bytes[start..<end - 1]))
            case "long": return HTTPResponse(206, field, bytes: Array(bytes[start..<end + 1]))
            case "broken": return HTTPResponse(206, field, cut: Array(bytes[start..<start + 5]))
            default: return HTTPResponse(Int(oddity) ?? 0)
            }
        }
        let sink = MemoryBlobs()
        try await client(transport).fetchBlob(blob, of: image, into: sink)
        #expect(sink[blob.digest] == bytes)
        let last = transport.exchanges.last.map(Self.range)
        #expect(last?.end == nil && [30_000, 130_000].contains(last?.start), "\(String(describing: last))")
    }

    @Test("A server that does not offer ranges sends a blob in one")
    func noRanges() async throws {
        let transport = FakeTransport { exchange, _ in
            var answer = Self.answer(exchange)
            answer = HTTPResponse(status: answer.status, fields: [:], body: answer.body)
            return answer
        }
        let sink = MemoryBlobs()
        try await client(transport).fetchBlob(blob, of: image, into: sink)
        #expect(sink[blob.digest] == Self.bytes && transport.exchanges.count == 1)
    }

    @Test("One byte that is wrong in one range fails the blob, and leaves nothing")
    func corruptRange() async throws {
        var changed = Self.bytes
        changed[700_000] ^= 1
        let bytes = changed
        let transport = FakeTransport { exchange, _ in Self.answer(exchange, of: bytes) }
        let sink = MemoryBlobs()
        let error = try await registryError { try await client(transport).fetchBlob(blob, of: image, into: sink) }
        #expect(error?.code == .digestMismatch && sink[blob.digest] == nil && sink.discardCount == 1)
    }

    @Test("By default a connection is given time, and a fast one is kept")
    func defaults() async throws {
        let transport = FakeTransport { exchange, _ in Self.answer(exchange) }
        let sink = MemoryBlobs()
        try await makeClient(transport).fetchBlob(blob, of: image, into: sink)
        #expect(transport.exchanges.count == 1)
    }

    @Test("One blob at a time has the turn")
    func turn() {
        let turn = PieceTurn(PiecePolicy())
        #expect(turn.take())
        #expect(!turn.take())
        turn.giveBack()
        #expect(turn.take())
    }
}
