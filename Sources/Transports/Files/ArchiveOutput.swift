import Diagnostics
import Layers
import Linux
package import OCI
import Synchronization
package import SystemPackage

/// The members of an archive of images being written, each blob once.
package final class ArchiveOutput: Sendable {
    private struct State {
        var blobs: Set<Digest> = []
        var space = SpaceGuard()
        /// Whether part of a member was written that cannot be taken back.
        var isBroken = false
    }

    private let output: FileDescriptor
    private let state = Mutex(State())
    /// Whether a header can be written after its content.
    package let isSeekable: Bool

    /// The descriptor stays open.
    package init(_ output: FileDescriptor) {
        self.output = output
        isSeekable = output.takesWritesAnywhere
    }

    /// The path of a blob in the archive.
    package static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    package func contains(_ digest: Digest) -> Bool { state.withLock { $0.blobs.contains(digest) } }

    package func add(directory path: String) throws {
        try write(Tar.header(of: LayerEntry(path: PathBytes(path), kind: .directory, permissions: 0o755)).span)
    }

    package func add(_ path: String, _ bytes: [UInt8], permissions: UInt32) throws {
        try write(Tar.header(of: Self.entry(path, Int64(bytes.count), permissions)).span)
        try write(bytes.span)
        try pad(after: Int64(bytes.count))
    }

    /// Adds a document as a blob, unless it is there.
    package func add(document bytes: [UInt8]) throws {
        let digest = Digest(of: bytes)
        guard !contains(digest) else { return }
        try add(Self.path(of: digest), bytes, permissions: 0o444)
        insert(digest)
    }

    /// Adds a blob whose name and size are known, and put before it, when it is written. Needs ``isSeekable``.
    package func addLater(_ body: (@escaping (Span<UInt8>) throws -> Void) throws -> Descriptor) throws -> Descriptor {
        let start = try output.seek(offset: 0, from: .current)
        try write([UInt8](repeating: 0, count: Tar.block).span)
        let blob = try body { [self] in try write($0) }
        // Two layers may be the same bytes, as those without files are.
        guard !contains(blob.digest) else {
            try output.seek(offset: start, from: .start)
            try output.resize(to: start)
            return blob
        }
        try pad(after: blob.size)
        try output.writeAll(toAbsoluteOffset: start, Tar.header(of: Self.entry(of: blob)))
        insert(blob.digest)
        return blob
    }

    /// Ends the archive.
    package func finish() throws {
        try write([UInt8](repeating: 0, count: 2 * Tar.block).span)
    }

    private static func entry(_ path: String, _ size: Int64, _ permissions: UInt32) -> LayerEntry {
        LayerEntry(path: PathBytes(path), kind: .regular, permissions: permissions, size: size)
    }

    private static func entry(of blob: Descriptor) -> LayerEntry { entry(path(of: blob.digest), blob.size, 0o444) }

    private func insert(_ digest: Digest) { state.withLock { _ = $0.blobs.insert(digest) } }

    private func pad(after size: Int64) throws {
        try write([UInt8](repeating: 0, count: Tar.padding(after: size)).span)
    }

    fileprivate func write(_ bytes: Span<UInt8>) throws {
        guard bytes.count > 0 else { return }
        if isSeekable { try state.withLock { try $0.space.spend(Int64(bytes.count), on: output) } }
        var sink = DescriptorSink(descriptor: output)
        try sink.write(bytes)
    }
}

extension ArchiveOutput: BlobSink {
    /// Begins the member of a blob. One member is written at a time.
    package func writer(for descriptor: Descriptor) throws -> any BlobWriter {
        guard !state.withLock({ $0.isBroken }) else {
            throw TransportsError(
                .badArchive, "an archive that goes to a pipe cannot be taken up where a transfer broke",
                hint: "Write it to a file, or try again.")
        }
        return try MemberWriter(descriptor, to: self)
    }

    fileprivate func beginMember(_ blob: Descriptor) throws -> Int64 {
        let start = isSeekable ? try output.seek(offset: 0, from: .current) : 0
        try write(Tar.header(of: Self.entry(of: blob)).span)
        return start
    }

    fileprivate func endMember(_ blob: Descriptor) throws {
        try pad(after: blob.size)
        insert(blob.digest)
    }

    /// Goes back to where a member began, of which not all has arrived.
    fileprivate func takeBack(to start: Int64) {
        let isBack = isSeekable && (try? output.seek(offset: start, from: .start)) != nil
        if !isBack { state.withLock { $0.isBroken = true } }
    }
}

/// One blob on its way into an archive.
private final class MemberWriter: BlobWriter {
    private let blob: Descriptor
    private let output: ArchiveOutput
    private let start: Int64
    private let left: Mutex<Int64>

    init(_ blob: Descriptor, to output: ArchiveOutput) throws {
        self.blob = blob
        self.output = output
        start = try output.beginMember(blob)
        left = Mutex(blob.size)
    }

    func write(_ bytes: Span<UInt8>) throws {
        let isTooMuch = left.withLock { left in
            left -= Int64(bytes.count)
            return left < 0
        }
        guard !isTooMuch else { throw wrongSize }
        try output.write(bytes)
    }

    func commit(as digest: Digest) throws {
        guard left.withLock({ $0 }) == 0 else { throw wrongSize }
        try output.endMember(blob)
    }

    func discard() { output.takeBack(to: start) }

    private var wrongSize: TransportsError {
        TransportsError(.badArchive, "the blob \(blob.digest) does not have \(blob.size) bytes")
    }
}

/// Writes to a descriptor that somebody else closes.
package struct DescriptorSink: ByteSink {
    package let descriptor: FileDescriptor

    package init(descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    package mutating func write(_ bytes: Span<UInt8>) throws {
        do { try unsafe bytes.withUnsafeBytes { _ = try unsafe descriptor.writeAll($0) } } catch let error as Errno {
            throw LinuxError(error, "write", "the output")
        }
    }
}
