import Diagnostics
import Dispatch
import Glibc
import Layers
import Linux
import OCI
import Synchronization
import SystemPackage

/// The members of an archive of images, read in one pass: documents are kept, and of layers the lists of their files.
struct ArchiveMembers: ImageMembers {
    /// JSON documents of an archive are small; a larger one is an attack or no archive of images.
    static let documentLimit = 20 << 20

    private struct Layer: Sendable {
        let size: Int64
        let result: Result<LayerSummary, any Error>
    }

    let path: FilePath
    private var documents: [PathBytes: [UInt8]] = [:]
    private var layers: [PathBytes: Layer] = [:]
    private var links: [PathBytes: PathBytes] = [:]

    init(_ path: FilePath) throws {
        self.path = path
        var reader = try LayerReader(DescriptorStream(try .open(path)), readsMarks: false)
        while let entry = try reader.next() {
            switch entry.kind {
            case .regular: try read(entry, &reader)
            case .hardLink: links[entry.path] = PathBytes("/" + entry.linkTarget.text)
            case .symlink: links[entry.path] = entry.linkTarget
            default: continue
            }
        }
        _ = try reader.finish()
    }

    /// A document begins with a brace or a bracket; anything else may be a layer.
    private mutating func read(_ entry: LayerEntry, _ reader: inout LayerReader) throws {
        var document: [UInt8]?
        var layer: LayerPass?
        try reader.readContent { bytes in
            guard !bytes.isEmpty else { return }
            if document == nil, layer == nil {
                let isDocument = bytes[0] == UInt8(ascii: "{") || bytes[0] == UInt8(ascii: "[")
                if isDocument { document = [] } else { layer = try LayerPass() }
            }
            if document != nil {
                guard entry.size <= Self.documentLimit else { return }
                for index in bytes.indices { document?.append(bytes[index]) }
            }
            layer?.write(bytes)
        }
        documents[entry.path] = document
        if let layer { layers[entry.path] = Layer(size: entry.size, result: layer.finish()) }
    }

    /// The member of a name, through links inside the archive.
    private func place(_ name: String) -> PathBytes {
        PathBytes(name).followingLinks { links[$0] } ?? PathBytes(name)
    }

    func document(_ name: String) throws -> [UInt8]? { documents[place(name)] }

    func size(_ name: String) throws -> Int64? { layers[place(name)]?.size }

    func summary(_ name: String) throws -> LayerSummary {
        guard let layer = layers[place(name)] else {
            throw InspectorError(
                .badImageFile, "it has no layer '\(name)'", hint: "The image is damaged: make it again.")
        }
        return try layer.result.get()
    }

    func open(_ name: String) throws -> any ByteStream { try MemberStream(place(name), of: path) }
}

/// Two connected ends, of which the writing one reports a reader that is gone by an error and not by a signal.
private struct Connection {
    let reading: CInt
    let writing: CInt

    init() throws {
        var ends: [CInt] = [0, 0]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw LinuxError(Errno(rawValue: errno), "make", "a pair of sockets")
        }
        reading = ends[0]
        writing = ends[1]
    }

    /// Writes all bytes; `false` when the reader is gone.
    static func write(_ bytes: Span<UInt8>, to descriptor: CInt) -> Bool {
        unsafe bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                let count = unsafe send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }
}

/// Reads the list of a layer's files on a thread of its own, while the bytes of the layer are handed to it.
private final class LayerPass: Sendable {
    private let connection: Connection
    private let result = Mutex<Result<LayerSummary, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init() throws {
        connection = try Connection()
        let reading = connection.reading
        DispatchQueue(label: "layer").async { [self] in
            let source = DescriptorStream(OwnedDescriptor(FileDescriptor(rawValue: reading)))
            let summary = Result { try LayerReader.readFileList(from: source) }
            result.withLock { $0 = summary }
            done.signal()
        }
    }

    /// A layer that cannot be read takes no more bytes.
    func write(_ bytes: Span<UInt8>) { _ = Connection.write(bytes, to: connection.writing) }

    func finish() -> Result<LayerSummary, any Error> {
        close(connection.writing)
        done.wait()
        return result.withLock { $0 } ?? .failure(CancellationError())
    }
}

/// The bytes of one member of an archive, which another thread reads.
private final class MemberStream: ByteStream {
    private let source: DescriptorStream
    private let box: FailureBox

    private final class FailureBox: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }

    init(_ member: PathBytes, of path: FilePath) throws {
        let connection = try Connection()
        source = DescriptorStream(OwnedDescriptor(FileDescriptor(rawValue: connection.reading)))
        let box = FailureBox()
        self.box = box
        let writing = connection.writing
        DispatchQueue(label: "archive member").async {
            do { try Self.send(member, of: path, to: writing) } catch { box.error.withLock { $0 = error } }
            close(writing)
        }
    }

    /// The reader has all it wants.
    private struct ReaderGone: Error {}

    private static func send(_ member: PathBytes, of path: FilePath, to descriptor: CInt) throws {
        var reader = try LayerReader(DescriptorStream(try .open(path)), readsMarks: false)
        while let entry = try reader.next() {
            guard entry.path == member, entry.kind == .regular else { continue }
            do {
                try reader.readContent { bytes in
                    guard Connection.write(bytes, to: descriptor) else { throw ReaderGone() }
                }
            } catch is ReaderGone {}
            return
        }
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let count = try source.read(into: &buffer)
        if count == 0, let error = box.error.withLock({ $0 }) { throw error }
        return count
    }
}
