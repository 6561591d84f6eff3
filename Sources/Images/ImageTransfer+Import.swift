import Diagnostics
package import Layers
package import Linux
package import OCI
package import Registry
package import Store
import Transports

extension ImageTransfer {
    /// Makes an image of one layer from the tar archive of a root file system, compressed or not.
    ///
    /// The archive is read once; what it says stays as it is, byte for byte. One that is compressed with bzip2 or xz, which
    /// layers cannot be, is kept without compression. `config` and `message` go into the image's config.
    package func importRootFileSystem(
        _ source: consuming OwnedDescriptor, as reference: ImageReference?, platform: Platform,
        config runConfig: RunConfig = RunConfig(), message: String = "Imported from -"
    ) throws -> StoredImage {
        try importRootFileSystem(
            from: DescriptorStream(source), as: reference, platform: platform, config: runConfig, message: message)
    }

    /// Makes an image of the archive of a root file system that a server of the web has. It passes through a file, so
    /// that a transfer that breaks can be begun anew.
    package func importRootFileSystem(
        at address: WebAddress, as reference: ImageReference?, platform: Platform,
        config runConfig: RunConfig = RunConfig(), message: String
    ) async throws -> StoredImage {
        let file = try await registry.web.get(address) { response in
            let file = try SpooledFile()
            let length = response.fields["content-length"].flatMap { Int64($0) }
            for try await piece in response.body {
                try await offload { try file.write(piece.span) }
            }
            if let length, file.size != length { throw HTTPResponse.truncated(file.size, of: length) }
            return file
        }
        return try await offload { [self] in
            try importRootFileSystem(
                from: BlobStream(file.reader(from: 0)), as: reference, platform: platform, config: runConfig,
                message: message)
        }
    }

    private func importRootFileSystem(
        from source: any Layers.ByteStream, as reference: ImageReference?, platform: Platform,
        config runConfig: RunConfig, message: String
    ) throws -> StoredImage {
        let lease = try store.lease()
        let layer = try importLayer(source)
        var config = ImageConfig(platform: platform)
        let now = Timestamp.now
        config.diffIDs = [layer]
        config.created = now
        config.config = runConfig
        config.history = [History(created: now, createdBy: "", comment: message, emptyLayer: false)]
        let id = try store.content.save(config.encoded)
        let image = try save(id, config, manifest: nil, layers: [], as: reference.map { [$0] } ?? [])
        _ = consume lease
        return image
    }

    /// Takes an archive into the store as a layer, byte for byte.
    package func importLayer(_ source: any Layers.ByteStream) throws -> DiffID {
        let ingest = try store.content.begin()
        let copy = TeeStream(try Self.storable(source), to: ingest.sink)
        let summary: LayerSummary
        do { summary = try LayerReader.readFileList(from: copy) } catch let error as LayerError {
            throw ImagesError(
                .badArchive, "cannot import the archive: \(error.message)", hint: error.hint, cause: error)
        }
        guard !summary.fileList.entries.isEmpty else {
            throw ImagesError(.badArchive, "cannot import the archive: it holds no files")
        }
        let (digest, size) = try copy.finish()
        try ingest.commit(as: digest, size: size)
        try storage.record(summary.diffID, summary.fileList)
        let type: MediaType = .ociLayer(try compression(of: digest, isPlain: digest == summary.diffID.digest))
        try store.layers.addBlob(Descriptor(mediaType: type, digest: digest, size: size), of: summary.diffID)
        return summary.diffID
    }

    /// Registries know plain, gzip and zstd layers; one compressed otherwise is kept in a form of its own type.
    private func compression(of digest: Digest, isPlain: Bool) throws -> Compression {
        guard !isPlain, let file = try store.content.open(digest) else { return .none }
        let stream = try DecompressedStream(DescriptorStream(file))
        switch stream.format {
        case .gzip: return .gzip
        case .zstd: return .zstd
        default: throw ImagesError(.corrupt, "the layer \(digest) is compressed with \(stream.format)")
        }
    }

    /// The archive as a layer has it.
    private static func storable(_ source: any Layers.ByteStream) throws -> any Layers.ByteStream {
        var start: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while start.count < 6 {
            let count = try source.read(into: &buffer)
            if count == 0 { break }
            start += buffer[..<count]
        }
        let whole = PrefixedStream(start[...], source)
        switch StreamFormat(magic: start) {
        case .bzip2, .xz: return try DecompressedStream(whole)
        case .plain, .gzip, .zstd: return whole
        }
    }
}

/// Writes down and hashes what is read through it.
private final class TeeStream: Layers.ByteStream {
    private let source: any Layers.ByteStream
    private let copy: (Span<UInt8>) throws -> Void
    private var hasher: DigestHasher? = DigestHasher()
    private var size: Int64 = 0

    init(_ source: any Layers.ByteStream, to copy: @escaping (Span<UInt8>) throws -> Void) {
        self.source = source
        self.copy = copy
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let count = try source.read(into: &buffer)
        let bytes = buffer.span.extracting(..<count)
        try copy(bytes)
        hasher?.update(bytes)
        size += Int64(count)
        return count
    }

    /// Digest and size of all that was read; may be asked for once.
    func finish() throws -> (Digest, Int64) {
        guard let hasher = hasher.take() else { throw ImagesError(.corrupt, "the stream was ended before") }
        return (hasher.finish(), size)
    }
}
