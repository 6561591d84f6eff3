import Diagnostics
import Linux
import OCI
import Synchronization
import SystemPackage

/// What a file was when it was last read, so that an unchanged one need not be read again.
struct FileFingerprint: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modified: FileTime
    let changed: FileTime

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
        size = status.size
        modified = status.modified
        changed = status.changed
    }

    fileprivate init(decoding reader: inout ByteReader) throws {
        device = try reader.integer()
        inode = try reader.integer()
        size = try reader.integer()
        modified = FileTime(seconds: try reader.integer(), nanoseconds: try reader.integer())
        changed = FileTime(seconds: try reader.integer(), nanoseconds: try reader.integer())
    }

    fileprivate func encode(to output: inout [UInt8]) {
        let fields: [UInt64] = [
            device, inode, UInt64(bitPattern: size), UInt64(bitPattern: modified.seconds),
            UInt64(bitPattern: modified.nanoseconds), UInt64(bitPattern: changed.seconds),
            UInt64(bitPattern: changed.nanoseconds),
        ]
        for field in fields { output.append(littleEndian: field) }
    }
}

/// The digests of a context's files by path, kept in one file from build to build.
///
/// A file that changed within the clock's resolution before it was read is not remembered, as a change right after
/// the reading could leave the same times.
final class FileDigestCache: Sendable {
    private struct Record {
        let fingerprint: FileFingerprint
        let digest: [UInt8]
        let hasAttributes: Bool
    }

    private struct State {
        var known: [PathBytes: Record] = [:]
        var isChanged = false
    }

    /// Changes at the end with the format of the file.
    private static let magic = Array("lamina-files-1\n".utf8)
    private let path: FilePath?
    private let state: Mutex<State>

    /// Reads the cache of a context; one that is missing or damaged is empty. Without a directory it is never saved.
    init(of context: FilePath, in directory: FilePath?) {
        path = directory?.appending(Digest(of: context.string).hex)
        state = Mutex(State(known: path.flatMap { try? Self.read($0) } ?? [:]))
    }

    /// The remembered digest and whether the file has extended attributes.
    func lookup(_ file: PathBytes, _ fingerprint: FileFingerprint) -> (digest: [UInt8], hasAttributes: Bool)? {
        state.withLock { state in
            guard let record = state.known[file], record.fingerprint == fingerprint else { return nil }
            return (record.digest, record.hasAttributes)
        }
    }

    func remember(_ file: PathBytes, _ fingerprint: FileFingerprint, digest: [UInt8], hasAttributes: Bool) {
        let now = FileTime.now
        let age =
            (now.seconds - fingerprint.changed.seconds) * 1_000_000_000
            + now.nanoseconds - fingerprint.changed.nanoseconds
        // 20 ms is more than the coarsest tick of the kernel's file clock.
        guard age > 20_000_000 else { return }
        state.withLock { state in
            state.known[file] = Record(fingerprint: fingerprint, digest: digest, hasAttributes: hasAttributes)
            state.isChanged = true
        }
    }

    /// Writes what was learnt. A failure is no failure of the build: the next one reads the files again.
    func save() {
        guard let path else { return }
        let content: [UInt8]? = state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            var output = Self.magic
            for (path, record) in state.known {
                output.append(littleEndian: UInt64(path.bytes.count))
                output += path.bytes
                record.fingerprint.encode(to: &output)
                output += record.digest
                output.append(record.hasAttributes ? 1 : 0)
            }
            return output
        }
        guard let content else { return }
        let temporary = FilePath("\(path).\(ProcessIdentity.current)")
        do {
            let file = try OwnedDescriptor.open(
                temporary, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o600))
            try file.write(content.span)
            let directory = try Directory(opening: path.removingLastComponent())
            guard let from = temporary.lastComponent, let to = path.lastComponent else { return }
            try directory.rename(PathBytes(from.string), to: PathBytes(to.string), in: directory)
        } catch {
            return
        }
    }

    private static func read(_ path: FilePath) throws -> [PathBytes: Record] {
        let file = try OwnedDescriptor.open(path)
        let content = try file.readAll(limit: 1 << 30)
        guard content.starts(with: magic) else { return [:] }
        var reader = ByteReader(content, at: magic.count)
        var known: [PathBytes: Record] = [:]
        while !reader.isAtEnd {
            let count: UInt64 = try reader.integer()
            let path = PathBytes(try reader.bytes(Int(clamping: count)))
            let fingerprint = try FileFingerprint(decoding: &reader)
            let digest = Array(try reader.bytes(32))
            known[path] = Record(
                fingerprint: fingerprint, digest: digest, hasAttributes: try reader.bytes(1).first == 1)
        }
        return known
    }
}

/// Reads fixed-width integers and runs of bytes from the front of a buffer.
private struct ByteReader {
    private let content: [UInt8]
    private var position: Int

    init(_ content: [UInt8], at position: Int) {
        self.content = content
        self.position = position
    }

    var isAtEnd: Bool { position == content.count }

    mutating func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= content.count - position else {
            throw EngineError(.corrupt, "the file digest cache is cut short")
        }
        defer { position += count }
        return content[position..<position + count]
    }

    mutating func integer<Value: FixedWidthInteger>() throws -> Value {
        let raw = try bytes(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Value(truncatingIfNeeded: raw)
    }
}

extension [UInt8] {
    /// Appends eight bytes, least significant first.
    fileprivate mutating func append(littleEndian value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }
}
