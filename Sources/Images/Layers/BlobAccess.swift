import Diagnostics
import Layers
import Linux
package import OCI
package import Registry
package import Store
import Synchronization
import SystemPackage
import Transports

/// Reads blobs from where they are.
package struct BlobAccess: Sendable {
    package let store: StoreRoot
    package let registry: RegistryAccess

    package init(store: StoreRoot, registry: RegistryAccess) {
        self.store = store
        self.registry = registry
    }

    /// Brings a blob into the store or into another sink, where only what has this size and digest arrives.
    ///
    /// `progress` is called with the number of bytes that have arrived.
    package func fetch(
        _ blob: Descriptor, from location: BlobLocation, into sink: (any BlobSink)? = nil,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws {
        let sink = sink ?? store.content
        switch location {
        case .registry(let registry, let repository):
            let reference = ImageReference(
                registry: registry, repository: repository, tag: nil, digest: blob.digest)
            try await self.registry.client.fetchBlob(blob, of: reference, into: sink, progress: progress)
        case .layout(let path):
            try await BlobCopy.run(
                blob,
                from: { blob, offset in
                    let file = SharedDescriptor(try OwnedDescriptor.open(LayoutDirectory(path).path(of: blob.digest)))
                    return FileRangeReader(file, offset..<max(offset, try file.descriptor.status().size))
                }, into: sink, progress: progress)
        case .bucket(let bucket):
            try await registry.client(for: bucket).fetchBlob(blob, into: sink, progress: progress)
        }
    }

    /// Part of a blob as it arrives from the first of some places that has it; nothing proves that it is the right one.
    package func stream(_ blob: Descriptor, from locations: [BlobLocation], _ range: Range<Int64>)
        -> Registry.ByteStream
    {
        Registry.ByteStream {
            var rest = locations[...]
            var next: Registry.ByteStream.Next?
            return {
                if let next { return try await next() }
                while let location = rest.popFirst() {
                    do {
                        let first = try await open(blob, at: location, range)
                        let piece = try await first()
                        next = first
                        return piece
                    } catch {
                        if rest.isEmpty || !Self.isFinal(error) { throw error }
                    }
                }
                return nil
            }
        }
    }

    /// Gives the bytes of a layer's blob, from the store or else from where they can be had.
    package func origin(of blob: Descriptor, in diffID: DiffID) async throws -> BlobOrigin {
        let (isHere, locations) = try await offload { [store] in
            (
                try store.content.contains(blob.digest),
                try store.layers.sources(of: diffID).filter { $0.blob.digest == blob.digest }
                    .compactMap { BlobLocation(decoding: $0.location) }
            )
        }
        guard isHere else { return { stream(blob, from: locations, $0) } }
        let path = store.content.path(of: blob.digest)
        return { range in
            Registry.ByteStream {
                var next: Registry.ByteStream.Next?
                return {
                    let reader = if let next { next } else { try await Self.read(path, range) }
                    next = reader
                    return try await reader()
                }
            }
        }
    }

    private func open(
        _ blob: Descriptor, at location: BlobLocation, _ range: Range<Int64>
    ) async throws -> Registry.ByteStream.Next {
        switch location {
        case .registry(let registry, let repository):
            let reference = ImageReference(registry: registry, repository: repository, tag: nil, digest: blob.digest)
            let iterator = try await self.registry.client.blobStream(blob, of: reference, range).makeAsyncIterator()
            return { try await iterator.next() }
        case .layout(let path):
            return try await Self.read(LayoutDirectory(path).path(of: blob.digest), range)
        case .bucket(let bucket):
            let iterator = try await registry.client(for: bucket).stream(blob, range).makeAsyncIterator()
            return { try await iterator.next() }
        }
    }

    private static func read(_ path: FilePath, _ range: Range<Int64>) async throws -> Registry.ByteStream.Next {
        let file = try await offload { try FileReader(try OwnedDescriptor.open(path), range) }
        return { try await offload { try file.next() } }
    }

    /// Whether an error says that a place does not have the blob, or has something else in its stead: to ask again
    /// would be in vain.
    package static func isFinal(_ error: any Error) -> Bool {
        switch error {
        case let error as RegistryError: error.code == .notFound || error.code == .digestMismatch
        case let error as StoreError: error.code == .digestMismatch || error.code == .sizeMismatch
        case let error as ImagesError: error.code == .badArchive || error.code == .unsupported
        case let error as TransportsError: error.code == .badArchive
        case let error as LinuxError: error.code == .notFound
        default: error is LayerError
        }
    }
}

/// A part of a file, read piece by piece.
private final class FileReader: Sendable {
    private let file: OwnedDescriptor
    private let remaining: Mutex<Int64>

    init(_ file: consuming OwnedDescriptor, _ range: Range<Int64>) throws {
        if range.lowerBound > 0 { try file.seek(to: range.lowerBound) }
        self.file = file
        remaining = Mutex(Int64(range.count))
    }

    /// The next piece; `nil` at the end.
    func next() throws -> [UInt8]? {
        try remaining.withLock { remaining in
            var buffer = [UInt8](repeating: 0, count: Int(min(remaining, 256 << 10)))
            guard !buffer.isEmpty else { return nil }
            let count = try file.read(into: &buffer)
            remaining -= Int64(count)
            return count == 0 ? nil : Array(buffer.prefix(count))
        }
    }
}
