import Diagnostics
import Linux
import OCI
import Synchronization

/// One blob on its way to a repository.
struct BlobUpload: Sendable {
    let connection: RepositoryConnection
    let descriptor: Descriptor
    let source: any BlobSource
    /// The origin of the bytes in place of `source`.
    let stream: BlobOrigin?
    /// Another repository of the same registry that has the blob.
    let origin: String?
    let chunk: Int64?
    let progress: @Sendable (PushEvent) -> Void

    /// Brings the blob there, unless it is there. `isMissing` says that the registry does not have it, whatever it
    /// answers when asked.
    func run(isMissing: Bool = false) async throws {
        if !isMissing, try await exists() { return progress(.exists) }
        // The session of an upload that broke: what the registry has of it is not sent again.
        let session = UploadSession()
        try await connection.retry.run { attempt in
            try await upload(in: session, mounting: attempt == 1 && !isMissing ? origin : nil)
        }
    }

    /// Smaller blobs are sent anew, which takes no longer than to ask what is there.
    private static let resumedSize: Int64 = 1 << 20

    /// The place where a broken upload goes on, and how much the registry has of it; `nil` when it must begin anew.
    ///
    /// Source: OCI distribution-spec, "Pushing a blob in chunks".
    private func resumed(at location: HTTPURL) async -> (location: HTTPURL, offset: Int64)? {
        guard descriptor.size >= Self.resumedSize,
            let answer = try? await connection.send(
                HTTPRequest(.get, location), for: .push, expecting: [200, 204], repeats: false),
            let next = try? connection.location(of: answer)
        else { return nil }
        // `0-0` stands for an upload of which nothing is there as well.
        let range = answer.response.fields["range"]?.split(separator: "=").last ?? ""
        guard let last = range.split(separator: "-").last.flatMap({ Int64($0) }), last > 0, last < descriptor.size
        else { return nil }
        return (next, last + 1)
    }

    /// Asks whether the blob is there. A registry that cannot tell is taken to say no.
    private func exists() async throws -> Bool {
        let request = HTTPRequest(.head, connection.url("blobs/\(descriptor.digest)"))
        do {
            return try await connection.send(request, for: .push, expecting: [200, 404]).response.status == 200
        } catch let error as RegistryError where error.code == .rejected || error.code == .serverFailed {
            return false
        }
    }

    private func upload(in session: UploadSession, mounting origin: String?) async throws {
        let broken = session.location.withLock { $0.take() }
        if let broken, let (location, offset) = await resumed(at: broken) {
            session.location.withLock { $0 = location }
            let size = max(1, chunk ?? descriptor.size)
            do {
                try await finish(at: try await sendChunks(of: size, from: offset, to: location, in: session), body: nil)
                return progress(.accepted)
            } catch let error as RegistryError where error.code == .rejected || error.code == .notFound {
                // The registry does not go on with it, or had something else: begin anew.
            }
        }
        guard let location = try await begin(mounting: origin) else {
            return progress(.mounted(from: origin ?? ""))
        }
        session.location.withLock { $0 = location }
        if let chunk, descriptor.size > chunk {
            try await finish(at: try await sendChunks(of: chunk, from: 0, to: location, in: session), body: nil)
        } else {
            try await finish(at: location, body: body(0..<descriptor.size))
        }
        progress(.accepted)
    }

    /// Opens an upload; `nil` when the blob was mounted from another repository instead.
    private func begin(mounting origin: String?) async throws -> HTTPURL? {
        let url = connection.url("blobs/uploads/")
        if let origin {
            let mount = url.appending("mount", "\(descriptor.digest)").appending("from", origin)
            do {
                let answer = try await connection.send(
                    HTTPRequest(.post, mount), for: .mount(from: origin), expecting: [201, 202], repeats: false)
                return answer.response.status == 201 ? nil : try connection.location(of: answer)
            } catch let error as RegistryError {
                // Not allowed to read the other repository, or it is gone: the bytes go the long way.
                guard [.unauthorised, .denied, .notFound, .rejected].contains(error.code) else { throw error }
            }
        }
        return try connection.location(
            of: try await connection.send(HTTPRequest(.post, url), for: .push, expecting: [202], repeats: false))
    }

    private func finish(at location: HTTPURL, body: HTTPBody?) async throws {
        let url = location.appending("digest", "\(descriptor.digest)")
        let request = HTTPRequest(.put, url, ["Content-Type": "application/octet-stream"])
        _ = try await connection.send(request, body: body, for: .push, expecting: [201, 204], repeats: false)
    }

    /// Sends the blob in pieces, each to where the answer to the one before said.
    private func sendChunks(
        of size: Int64, from first: Int64, to start: HTTPURL, in session: UploadSession
    ) async throws -> HTTPURL {
        var location = start
        var offset = first
        while offset < descriptor.size {
            let range = offset..<min(offset + size, descriptor.size)
            let fields: HTTPFields = [
                "Content-Type": "application/octet-stream",
                "Content-Range": "\(range.lowerBound)-\(range.upperBound - 1)",
            ]
            let answer = try await connection.send(
                HTTPRequest(.patch, location, fields), body: body(range), for: .push, expecting: [202], repeats: false)
            location = try connection.location(of: answer)
            session.location.withLock { [location] in $0 = location }
            offset = range.upperBound
        }
        return location
    }

    private static let pieceSize: Int64 = 256 << 10

    /// Bytes of the blob, read as they are sent, away from the threads that tasks run on.
    private func body(_ range: Range<Int64>) -> HTTPBody {
        if let stream {
            let progress = progress
            return HTTPBody(
                length: Int64(range.count),
                stream: stream(range).counted(from: range.lowerBound) { progress(.sent($0)) })
        }
        let (descriptor, source, progress) = (descriptor, source, progress)
        let stream = ByteStream {
            var reader: (any BlobReader)?
            var offset = range.lowerBound
            return {
                guard offset < range.upperBound else { return nil }
                let wanted = Int(min(range.upperBound - offset, Self.pieceSize))
                let (position, open) = (offset, reader)
                let piece: [UInt8]
                do {
                    (piece, reader) = try await offload {
                        let current = try open ?? source.reader(for: descriptor, from: position)
                        return (try Self.read(wanted, from: current), current)
                    }
                } catch {
                    throw RegistryError(.source, "the blob \(descriptor.digest) cannot be read: \(error)", cause: error)
                }
                guard !piece.isEmpty else {
                    throw RegistryError(
                        .source, "the blob \(descriptor.digest) ends after \(offset) of \(descriptor.size) bytes")
                }
                offset += Int64(piece.count)
                progress(.sent(offset))
                return piece
            }
        }
        return HTTPBody(length: Int64(range.count), stream: stream)
    }

    private static func read(_ count: Int, from reader: any BlobReader) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let length = try reader.read(into: &buffer)
        buffer.removeSubrange(length...)
        return buffer
    }
}

/// The place of an upload that has begun.
private final class UploadSession: Sendable {
    let location = Mutex<HTTPURL?>(nil)
}
