/// The header fields of a message in order; names compare without regard to case.
package struct HTTPFields: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [Field] = []

    package struct Field: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// All values of a field, one for each time it occurs.
    package func all(_ name: String) -> [String] {
        fields.filter { Self.equal($0.name, name) }.map(\.value)
    }

    /// The first value of a field; setting replaces all.
    package subscript(name: String) -> String? {
        get { fields.first { Self.equal($0.name, name) }?.value }
        set {
            fields.removeAll { Self.equal($0.name, name) }
            if let newValue { append(name, newValue) }
        }
    }

    private static func equal(_ one: String, _ other: String) -> Bool { one.lowercased() == other.lowercased() }
}

/// A request to a server; a body travels beside it.
package struct HTTPRequest: Sendable {
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package var method: Method
    package var url: HTTPURL
    package var fields: HTTPFields
    /// The certificates of the TLS session.
    package var trust = ServerTrust()

    package init(_ method: Method, _ url: HTTPURL, _ fields: HTTPFields = [:]) {
        self.method = method
        self.url = url
        self.fields = fields
    }
}

/// The answer of a server. The body is still on its way: read it or release it, which closes the connection.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let fields: HTTPFields
    package let body: ByteStream

    package init(status: Int, fields: HTTPFields = [:], body: ByteStream = ByteStream([])) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// The body of a request: a known number of bytes that can be produced again when the request must be repeated.
package struct HTTPBody: Sendable {
    package let length: Int64
    /// Exactly `length` bytes.
    package let stream: ByteStream

    package init(length: Int64, stream: ByteStream) {
        self.length = length
        self.stream = stream
    }

    package init(_ bytes: [UInt8]) {
        self.init(length: Int64(bytes.count), stream: ByteStream([bytes]))
    }
}

/// Bytes that arrive in pieces, each produced when the reader asks for it.
package struct ByteStream: AsyncSequence, Sendable {
    package typealias Next = () async throws -> [UInt8]?

    private let start: @Sendable () -> Next

    /// - Parameter start: Begins to read from the front; the closure it returns gives the next piece, `nil` at the end.
    package init(start: @escaping @Sendable () -> Next) {
        self.start = start
    }

    package init(_ pieces: [[UInt8]]) {
        self.init {
            var iterator = pieces.makeIterator()
            return { iterator.next() }
        }
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let read: Next

        package func next() async throws -> [UInt8]? { try await read() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(read: start()) }

    /// The same bytes; after each piece `report` gets their number so far, `start` among them.
    func counted(from start: Int64 = 0, _ report: @escaping @Sendable (Int64) -> Void) -> ByteStream {
        ByteStream {
            let iterator = self.makeAsyncIterator()
            var count = start
            return {
                guard let piece = try await iterator.next() else { return nil }
                count += Int64(piece.count)
                report(count)
                return piece
            }
        }
    }

    /// The whole stream, unless it is longer than `limit` bytes: then `nil`.
    package func collect(limit: Int) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        for try await piece in self {
            guard bytes.count + piece.count <= limit else { return nil }
            bytes += piece
        }
        return bytes
    }
}

/// The seam to the network: sends one request and returns as soon as the head of the answer is there.
///
/// Neither redirects nor credentials nor retries are its business.
package protocol HTTPTransport: Sendable {
    /// - Throws: `RegistryError` with a code that tells why there is no answer, or `CancellationError`.
    func send(_ request: HTTPRequest, body: HTTPBody?) async throws -> HTTPResponse
}
