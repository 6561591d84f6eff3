import Diagnostics
package import Layers
import Linux
package import Store
import SystemPackage

/// A tar archive, compressed or not, whose files are a build context: unpacked for as long as this lives.
package final class ContextArchive: Sendable {
    package let directory: TemporaryDirectory
    /// The modification time of its newest file, in seconds since 1970; `nil` where there is none.
    package let newest: Int64?

    /// How many bytes ``isArchive(_:)`` needs, or all if there are fewer.
    package static let headerSize = 1024

    /// Unpacks an archive to the store's own disk, which bounds its size.
    ///
    /// Names that lead out of the archive are refused, and devices too, of which a context has no use.
    ///
    /// - Throws: ``ContextsError`` `.badContext` for a bad archive, `LinuxError` when the disk is full.
    package init(unpacking source: any ByteStream, in store: StoreRoot) throws {
        directory = try store.temporaryDirectory()
        var applier = LayerApplier(.plain)
        applier.preservesOwners = false
        applier.readsMarks = false
        let summary: LayerSummary
        do { summary = try applier.apply(source, to: try Directory(opening: directory.path)) } catch let error
            as LayerError
        {
            throw ContextsError(
                .badContext, "the archive with the build context cannot be unpacked: \(error.message)",
                hint: error.hint, cause: error)
        }
        var newest: Int64?
        for entry in summary.fileList.entries {
            switch entry.kind {
            case .regular: newest = max(newest ?? entry.modified.seconds, entry.modified.seconds)
            case .characterDevice, .blockDevice:
                throw ContextsError(
                    .badContext, "the archive with the build context has a device, '\(entry.path.text)'",
                    hint: "Leave it out of the archive.")
            default: continue
            }
        }
        self.newest = newest
    }

    /// Whether what begins with these bytes is an archive, and not a text. What is compressed is taken for one.
    package static func isArchive(_ start: [UInt8]) -> Bool {
        if StreamFormat(magic: start) != .plain { return true }
        if start.count >= 262, start[257..<262].elementsEqual("ustar".utf8) { return true }
        do {
            var reader = try LayerReader(PrefixedStream(start[...], EmptyStream()), readsMarks: false)
            return try reader.next() != nil
        } catch {
            return false
        }
    }

    /// Reads the first bytes of a stream.
    package static func start(of source: any ByteStream) throws -> [UInt8] {
        var start: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: headerSize)
        while start.count < headerSize {
            let count = try source.read(into: &buffer)
            if count == 0 { break }
            start += buffer[..<count]
        }
        return start
    }
}

/// Ignore every error.
private final class EmptyStream: ByteStream {
    func read(into buffer: inout [UInt8]) -> Int { 0 }
}
