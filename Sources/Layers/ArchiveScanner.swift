import Diagnostics
package import Linux
import SystemPackage

/// Finds the members of an archive that is not compressed, in a file that can be read anywhere. Contents are passed over.
package struct ArchiveScanner: ~Copyable {
    /// A member, and where its content begins in the file.
    package struct Member: Sendable {
        package let entry: LayerEntry
        package let offset: Int64
    }

    private var tar: TarReader

    /// Reads the file from its beginning. It stays open.
    package init(_ file: SharedDescriptor) throws { tar = TarReader(try SkippingStream(file)) }

    /// Goes to the next member; `nil` at the end of the archive.
    ///
    /// Throws ``LayerError``, e.g. `.truncated` for an archive that was cut off, and `.unsupported` for a file with holes,
    /// whose content is not in one piece.
    package mutating func next() throws -> Member? {
        while try tar.next() {
            guard tar.member.sparse == nil else {
                throw LayerError(.unsupported, "'\(tar.member.displayName)' in the archive is a file with holes")
            }
            if let entry = try LayerReader.entry(tar.member, readsMarks: false) {
                return Member(entry: entry, offset: tar.offset)
            }
        }
        return nil
    }
}

/// A file that is read by positions of its own.
package final class SkippingStream: ByteStream {
    private let file: SharedDescriptor
    private let size: Int64
    private var position: Int64 = 0

    package init(_ file: SharedDescriptor) throws {
        self.file = file
        size = try file.descriptor.status().size
    }

    package func read(into buffer: inout [UInt8]) throws -> Int {
        let count = try file.descriptor.read(into: &buffer, from: position)
        position += Int64(count)
        return count
    }

    package func skip(_ count: Int64) throws -> Int64 {
        let skipped = min(count, max(0, size - position))
        position += skipped
        return skipped
    }
}
