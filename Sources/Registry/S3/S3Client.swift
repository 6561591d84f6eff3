import Diagnostics
import Linux
package import OCI

/// Reads and writes the objects of a bucket.
package struct S3Client: Sendable {
    private let transport: any HTTPTransport
    private let bucket: S3Bucket
    private let credentials: S3Credentials
    private let retry: RetryPolicy
    private let userAgent: String
    private let now: @Sendable () -> Timestamp

    /// The caller shuts the transport down; `now` is the clock of the system.
    package init(
        transport: any HTTPTransport, bucket: S3Bucket, credentials: S3Credentials, retry: RetryPolicy = RetryPolicy(),
        userAgent: String = "lamina", now: @escaping @Sendable () -> Timestamp
    ) {
        self.transport = transport
        self.bucket = bucket
        self.credentials = credentials
        self.retry = retry
        self.userAgent = userAgent
        self.now = now
    }

    /// The largest object that is written in one request, in bytes: a limit of the protocol.
    private static let objectLimit: Int64 = 5 << 30

    // MARK: Objects

    /// A small object; `nil` when there is none of this name.
    ///
    /// Throws `RegistryError`, `.tooLarge` for one of more than `limit` bytes.
    package func object(_ key: String, limit: Int) async throws -> [UInt8]? {
        try await describing("cannot read \(bucket)/\(key)") {
            try await retry.run { _ in
                let response = try await send(.get, key, expecting: [200, 404])
                guard response.status == 200 else { return nil }
                guard let bytes = try await response.body.collect(limit: limit) else {
                    throw RegistryError(.tooLarge, "it has more than \(limit) bytes")
                }
                return bytes
            }
        }
    }

    /// Reads an object as it arrives; `receive` gets the answer of the server, and again after a failure that may pass.
    ///
    /// Throws `RegistryError`, `.notFound` for a name that is not there.
    package func read<Value: Sendable>(
        _ key: String, receive: (HTTPResponse) async throws -> Value
    ) async throws -> Value {
        try await describing("cannot read \(bucket)/\(key)") {
            try await retry.run { _ in try await receive(try await send(.get, key, expecting: [200])) }
        }
    }

    /// Writes an object that is in memory, in place of one with the same name.
    package func put(_ bytes: [UInt8], as key: String) async throws {
        try await describing("cannot write \(bucket)/\(key)") {
            try await retry.run { _ in
                _ = try await send(.put, key, body: HTTPBody(bytes), payload: Digest(of: bytes), expecting: [200, 204])
            }
        }
    }

    // MARK: Blobs

    /// Whether the bucket has a blob, whole.
    package func contains(_ blob: Descriptor) async throws -> Bool {
        try await describing("cannot read \(bucket)/\(bucket.key(of: blob.digest))") {
            try await retry.run { _ in
                let response = try await send(.head, bucket.key(of: blob.digest), expecting: [200, 404])
                guard response.status == 200 else { return false }
                return response.fields["content-length"].flatMap { Int64($0) }.map { $0 == blob.size } ?? true
            }
        }
    }

    /// Writes a blob, whose bytes `origin` gives. The store compares them with the digest.
    package func put(
        _ blob: Descriptor, from origin: @escaping BlobOrigin, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let key = bucket.key(of: blob.digest)
        try await describing("cannot write \(bucket)/\(key)") {
            guard blob.size <= Self.objectLimit else {
                throw RegistryError(
                    .tooLarge, "the blob has \(blob.size) bytes, more than one object of S3 takes",
                    hint: "Use a registry for this cache.")
            }
            try await retry.run { _ in
                let body = HTTPBody(length: blob.size, stream: origin(0..<blob.size).counted(progress))
                _ = try await send(.put, key, body: body, payload: blob.digest, expecting: [200, 204])
            }
        }
    }

    /// Fetches a blob into `sink`, unless it is there; a connection that breaks is taken up where it broke.
    package func fetchBlob(
        _ blob: Descriptor, into sink: some BlobSink, progress: @Sendable (Int64) -> Void
    ) async throws {
        if try await offload({ try sink.contains(blob.digest) }) { return }
        try await describing("cannot read \(bucket)/\(bucket.key(of: blob.digest))") {
            let writer = try await offload { try sink.writer(for: blob) }
            do {
                var reception = BlobReception(blob, into: writer)
                try await receive(&reception, progress)
                try await reception.finish()
            } catch {
                writer.discard()
                throw error
            }
        }
    }

    private func receive(_ reception: inout BlobReception, _ progress: (Int64) -> Void) async throws {
        var failures = 0
        let size = reception.descriptor.size
        while reception.count < size {
            try Task.checkCancellation()
            let start = reception.count
            do {
                for try await piece in try await stream(reception.descriptor, start..<size) {
                    try await reception.take(piece[...])
                    progress(reception.count)
                }
                guard reception.count == size else {
                    throw RegistryError(.connectionLost, "the blob ended after \(reception.count) of \(size) bytes")
                }
            } catch {
                failures = reception.count > start ? 1 : failures + 1
                if failures >= retry.limit(after: error) || !retry.isTransient(error) { throw error }
                try await retry.rest(after: failures, error)
            }
        }
    }

    /// Part of a blob as it arrives.
    package func stream(_ blob: Descriptor, _ range: Range<Int64>) async throws -> ByteStream {
        let isWhole = range == 0..<blob.size
        let fields: HTTPFields = isWhole ? [:] : ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"]
        return try await send(.get, bucket.key(of: blob.digest), fields, expecting: [isWhole ? 200 : 206]).body
    }

    // MARK: Requests

    private static let nothing = Digest(of: [])

    private func send(
        _ method: HTTPRequest.Method, _ key: String, _ fields: HTTPFields = [:], body: HTTPBody? = nil,
        payload: Digest = nothing, expecting statuses: Set<Int>
    ) async throws -> HTTPResponse {
        var request = HTTPRequest(method, try bucket.url(of: key), fields)
        request.fields["User-Agent"] = userAgent
        S3Signature(credentials: credentials, region: bucket.region, time: now()).sign(&request, payload: payload)
        let response = try await transport.send(request, body: body)
        if statuses.contains(response.status) { return response }
        throw await Self.refusal(response, to: request)
    }

    /// The store's error, in XML.
    private static func refusal(_ response: HTTPResponse, to request: HTTPRequest) async -> RegistryError {
        let bytes = (try? await response.body.collect(limit: 65536)) ?? nil
        let text = String(decoding: bytes ?? [], as: UTF8.self)
        let said = ["Code", "Message"].compactMap { text.element($0)?.printable(limit: 300) }.joined(separator: ": ")
        let refusal = await Refusal(
            HTTPResponse(status: response.status, fields: response.fields), to: request)
        let error = refusal.error
        let hint =
            switch response.status {
            case 301, 307, 400: "Check the region and the endpoint of the bucket."
            case 403: "Check the credentials and what they allow."
            default: error.hint
            }
        return RegistryError(
            error.code, said.isEmpty ? error.message : "\(error.message) (\(said))", hint: hint, cause: refusal)
    }
}

extension String {
    /// The text between the first opening and closing tag of this name.
    fileprivate func element(_ name: String) -> String? {
        guard let start = firstRange(of: "<\(name)>"), let end = self[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        return String(self[start.upperBound..<end.lowerBound])
    }
}
