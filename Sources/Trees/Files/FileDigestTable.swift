import Diagnostics
import Linux
import OCI
package import SystemPackage

/// Records of fixed size in one run of bytes, which is the file they are kept in: there is nothing to parse.
package struct FileDigestTable: Sendable {
    /// Changes at the end with the format of the file.
    private static let magic = Array("lamina-files-2\n\0".utf8)
    /// Seven integers, the digest, and whether there are attributes, as one more integer.
    private static let recordSize = 7 * 8 + 32 + 8

    private var bytes = magic

    package init() {}

    /// Throws if the file cannot be read or is something else.
    package init(reading path: FilePath) throws {
        bytes = try OwnedDescriptor.open(path).readAll(limit: 1 << 30)
        guard bytes.starts(with: Self.magic), (bytes.count - Self.magic.count) % Self.recordSize == 0 else {
            throw TreesError(.corrupt, "the cache of file digests is damaged")
        }
    }

    package var count: Int { (bytes.count - Self.magic.count) / Self.recordSize }

    private func offset(_ number: Int) -> Int { Self.magic.count + number * Self.recordSize }

    package func fingerprint(_ number: Int) -> FileFingerprint {
        let start = offset(number)
        func field(_ index: Int) -> UInt64 { integer(at: start + 8 * index) }
        func time(_ index: Int) -> FileTime {
            FileTime(seconds: Int64(bitPattern: field(index)), nanoseconds: Int64(bitPattern: field(index + 1)))
        }
        return FileFingerprint(
            device: field(0), inode: field(1), size: Int64(bitPattern: field(2)), modified: time(3), changed: time(5))
    }

    package func digest(_ number: Int) -> [UInt8] {
        let start = offset(number) + 7 * 8
        return Array(bytes[start..<start + 32])
    }

    package func hasAttributes(_ number: Int) -> Bool { integer(at: offset(number) + 7 * 8 + 32) & 1 != 0 }

    /// Whether a record only says that this build has read the file: there is no digest in it, and it is never written.
    func isTransient(_ number: Int) -> Bool { integer(at: offset(number) + 7 * 8 + 32) & 2 != 0 }

    package mutating func append(_ fingerprint: FileFingerprint, digest: [UInt8], hasAttributes: Bool) {
        append(fingerprint, digest: digest, flags: hasAttributes ? 1 : 0)
    }

    mutating func append(transient fingerprint: FileFingerprint) {
        append(fingerprint, digest: [UInt8](repeating: 0, count: 32), flags: 2)
    }

    private mutating func append(_ fingerprint: FileFingerprint, digest: [UInt8], flags: UInt64) {
        precondition(digest.count == 32, "a SHA-256 has 32 bytes")
        append(fingerprint.device)
        append(fingerprint.inode)
        append(UInt64(bitPattern: fingerprint.size))
        for time in [fingerprint.modified, fingerprint.changed] {
            append(UInt64(bitPattern: time.seconds))
            append(UInt64(bitPattern: time.nanoseconds))
        }
        bytes += digest
        append(flags)
    }

    /// Replaces the file in one step by one with the records for which `isKept` holds.
    package func write(to path: FilePath, where isKept: (Int) -> Bool = { _ in true }) throws {
        let temporary = FilePath("\(path).\(ProcessIdentity.current)")
        let file = try OwnedDescriptor.open(
            temporary, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o600))
        try file.write(Self.magic.span)
        // One run of records at a time: a copy of all would take as much memory again.
        var start = 0
        for number in 0...count where number == count || !isKept(number) {
            if start < number { try file.write(bytes.span.extracting(offset(start)..<offset(number))) }
            start = number + 1
        }
        let directory = try Directory(opening: path.removingLastComponent())
        guard let from = temporary.lastComponent, let to = path.lastComponent else { return }
        try directory.rename(PathBytes(from.string), to: PathBytes(to.string), in: directory)
    }

    // MARK: Integers

    /// Least significant byte first.
    private mutating func append(_ value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }

    private func integer(at offset: Int) -> UInt64 {
        UInt64(
            littleEndian: unsafe bytes.withUnsafeBytes {
                unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            })
    }
}
