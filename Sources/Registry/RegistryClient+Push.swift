import Diagnostics
package import OCI

/// Gives the bytes of a blob in a range, however often it is asked.
package typealias BlobOrigin = @Sendable (Range<Int64>) -> ByteStream

/// The progress of one blob of a push.
package enum PushEvent: Hashable, Sendable {
    /// The registry has it already.
    case exists
    /// The registry took it from another of its repositories.
    case mounted(from: String)
    /// So many of its bytes are on their way; less than before when an upload had to begin anew. The registry may still
    /// refuse the blob.
    case sent(Int64)
    /// The registry has taken it.
    case accepted
}

/// A part of a push, in the order in which it becomes known.
package enum PushPart: Sendable {
    /// A blob that the manifest is going to name. `origin` is another repository of the same registry that has it, `stream`
    /// gives its bytes where the source of the push does not have them.
    case blob(Descriptor, origin: String?, stream: BlobOrigin?)
    /// The manifest, after all of its blobs.
    case manifest([UInt8], MediaType)
}

extension RegistryClient {
    /// Pushes an image: its blobs, several at once, then its manifest under the tag or digest of `reference`.
    ///
    /// To push an index, push each image under its digest (see `ImageReference.with(tag:digest:)`), then the index
    /// with ``pushManifest(_:type:as:)``.
    ///
    /// A registry that refuses OCI's media types gets Docker's, if the image can be said in them; the digest is another
    /// then.
    ///
    /// `blobs` are all that the manifest names; equal ones are sent once. `origins` gives, for blobs that another
    /// repository of the same registry has, that repository's name; `streams` the bytes of blobs that `source` does not
    /// have, which are asked for only when the registry needs them. Gives back the descriptor of the manifest. Throws
    /// `RegistryError`, e.g. `.denied` or, when a blob cannot be read, `.source`.
    package func push(
        manifest: [UInt8], type: MediaType, blobs: [Descriptor], from source: some BlobSource,
        as reference: ImageReference, mounting origins: [Digest: String] = [:],
        streaming streams: [Digest: BlobOrigin] = [:],
        progress: @escaping @Sendable (Descriptor, PushEvent) -> Void = { _, _ in }
    ) async throws -> Descriptor {
        let (parts, found) = AsyncThrowingStream.makeStream(of: PushPart.self)
        for blob in blobs {
            found.yield(.blob(blob, origin: origins[blob.digest], stream: streams[blob.digest]))
        }
        found.yield(.manifest(manifest, type))
        found.finish()
        return try await push(parts, from: source, as: reference, progress: progress)
    }

    /// Pushes an image whose parts are still being made: each blob is on its way as soon as it is known.
    ///
    /// Throws what `parts` throws as well, and `RegistryError` as the other way to push does.
    package func push(
        _ parts: AsyncThrowingStream<PushPart, any Error>, from source: some BlobSource, as reference: ImageReference,
        progress: @escaping @Sendable (Descriptor, PushEvent) -> Void = { _, _ in }
    ) async throws -> Descriptor {
        try await describing("cannot push \(reference)") {
            let connection = try await connection(to: reference)
            var uploads: [Digest: BlobUpload] = [:]
            var document: (bytes: [UInt8], type: MediaType)?
            try await withThrowingTaskGroup(of: Void.self) { group in
                for try await part in parts {
                    switch part {
                    case .blob(let blob, let origin, let stream):
                        guard uploads[blob.digest] == nil else { continue }
                        let upload = BlobUpload(
                            connection: connection, descriptor: blob, source: source, stream: stream,
                            origin: origin == reference.repository ? nil : origin, chunk: options.uploadChunk,
                            progress: { progress(blob, $0) })
                        if uploads.count >= max(options.concurrentUploads, 1) { try await group.next() }
                        uploads[blob.digest] = upload
                        group.addTask { try await upload.run() }
                    case .manifest(let bytes, let type): document = (bytes, type)
                    }
                }
                try await group.waitForAll()
            }
            guard let document else { throw CancellationError() }
            do {
                return try await connection.putImage(document.bytes, document.type)
            } catch let error as RegistryError {
                // A garbage collection took a blob between the question for it and the manifest.
                guard let refusal = error.cause as? Refusal,
                    refusal.has("MANIFEST_BLOB_UNKNOWN") || refusal.has("BLOB_UNKNOWN")
                else { throw error }
                try await sendAgain(Array(uploads.values))
                return try await connection.putImage(document.bytes, document.type)
            }
        }
    }

    /// Pushes a manifest or an index whose parts are there, under the tag or digest of `reference`, and as ``push`` does
    /// with Docker's media types where the registry refuses OCI's.
    package func pushManifest(
        _ bytes: [UInt8], type: MediaType, as reference: ImageReference
    ) async throws -> Descriptor {
        try await describing("cannot push \(reference)") {
            try await connection(to: reference).putImage(bytes, type)
        }
    }

    private func sendAgain(_ uploads: [BlobUpload]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, upload) in uploads.enumerated() {
                if index >= max(options.concurrentUploads, 1) { try await group.next() }
                group.addTask { try await upload.run(isMissing: true) }
            }
            try await group.waitForAll()
        }
    }
}

extension RepositoryConnection {
    /// Puts a manifest or index, with Docker's media types if the registry refuses OCI's.
    fileprivate func putImage(_ bytes: [UInt8], _ type: MediaType) async throws -> Descriptor {
        let digest = Digest(of: bytes)
        if reference.tag == nil, let wanted = reference.digest, wanted != digest {
            throw RegistryError(.digestMismatch, "the manifest is \(digest) and cannot be pushed as another")
        }
        do { return try await put(bytes, type) } catch let error as RegistryError {
            guard let refusal = error.cause as? Refusal, refusal.isAboutTheMediaType,
                let (other, otherType) = DockerForm.document(bytes, type)
            else { throw error }
            NetworkNotice.report(
                "\(endpoint.base.authority) refuses OCI media types (\(refusal.summary)); pushing with Docker's instead"
            )
            do { return try await put(other, otherType) } catch is RegistryError { throw error }
        }
    }

    private func put(_ bytes: [UInt8], _ type: MediaType) async throws -> Descriptor {
        let digest = Digest(of: bytes)
        let name = reference.tag ?? digest.description
        let request = HTTPRequest(.put, url("manifests/\(name)"), ["Content-Type": type.rawValue])
        let answer = try await send(request, body: HTTPBody(bytes), for: .push, expecting: [200, 201, 202, 204])
        if let stored = answer.response.fields["docker-content-digest"], stored != digest.description {
            throw RegistryError(
                .digestMismatch, "the registry stored the manifest as \(stored.printable(limit: 80)), not \(digest)")
        }
        return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
    }
}
