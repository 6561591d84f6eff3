import Glibc
import Inspector
import Layers
import Linux
package import OCI
package import SystemPackage

/// The lists of files of layers that are not in the store, kept by DiffID, so that an image is analysed at once the
/// second time.
///
/// A config names its layers by DiffID, and a runtime refuses a layer that is another one. So the list of a DiffID holds
/// for each image whose config has it. What cannot be read or written here is done without.
package struct FileListCache: Sendable {
    /// The most bytes of lists that are kept; the oldest go first.
    package static let limit: Int64 = 256 << 20

    private let directory: FilePath?
    /// Lists that are kept elsewhere, as ``FileList/encode()`` has them.
    private let others: @Sendable (DiffID) -> [UInt8]?

    /// Keeps lists in `directory`, which is made with its parent if need be; nowhere when that is `nil`.
    package init(_ directory: FilePath?, others: @escaping @Sendable (DiffID) -> [UInt8]? = { _ in nil }) {
        self.directory = directory
        self.others = others
    }

    /// The list of a layer, if it is kept.
    func list(_ diffID: DiffID, _ sum: ContentSum) -> PackedFileList? {
        if diffID == .empty { return PackedFileList(FileList([], tarSize: 1024)) }
        if sum == .checksum, let bytes = others(diffID), let list = try? PackedFileList(encoded: bytes) {
            return list
        }
        guard let directory, let folder = try? Directory(opening: directory),
            var content = try? folder.open(Self.name(diffID, sum)).readAll(limit: Int(Self.limit)),
            content.count > Self.sumLength
        else { return nil }
        let digest = Array(content.suffix(Self.sumLength))
        content.removeLast(Self.sumLength)
        guard Array(Digest(of: content).hex.utf8) == digest else { return nil }
        return try? PackedFileList(encoded: content)
    }

    /// Each list is followed by its SHA-256 in hexadecimal, as a crash may leave any bytes in a file.
    private static let sumLength = 64

    private static func name(_ diffID: DiffID, _ sum: ContentSum) -> PathBytes {
        PathBytes("\(diffID.digest.hex).\(sum.rawValue)")
    }

    func keep(_ list: PackedFileList, _ diffID: DiffID, _ sum: ContentSum) {
        guard let directory else { return }
        let content = list.encoded
        guard Int64(content.count) <= Self.limit / 4 else { return }
        try? write(content + Array(Digest(of: content).hex.utf8), Self.name(diffID, sum), in: directory)
    }

    private func write(_ bytes: [UInt8], _ name: PathBytes, in path: FilePath) throws {
        let parent = path.removingLastComponent()
        if (try? Directory(opening: parent)) == nil {
            let above = try Directory(opening: parent.removingLastComponent())
            try? above.makeDirectory(PathBytes(parent.lastComponent?.string ?? ""), permissions: 0o700)
        }
        if (try? Directory(opening: path)) == nil {
            let above = try Directory(opening: parent)
            try? above.makeDirectory(PathBytes(path.lastComponent?.string ?? ""), permissions: 0o700)
        }
        let folder = try Directory(opening: path)
        let temporary = PathBytes("\(name.text).\(ProcessIdentity.current)")
        do {
            try folder.create(temporary, permissions: 0o600).write(bytes.span)
            try folder.rename(temporary, to: name, in: folder)
        } catch {
            try? folder.unlink(temporary)
            throw error
        }
        try removeOldest(in: folder)
    }

    private func removeOldest(in folder: borrowing Directory) throws {
        var files: [(name: PathBytes, status: FileStatus)] = []
        for name in try folder.names() {
            if let status = try folder.statusIfExists(name) { files.append((name, status)) }
        }
        var size = files.reduce(Int64(0)) { $0 &+ $1.status.size }
        guard size > Self.limit else { return }
        files.sort { $0.status.modified.seconds < $1.status.modified.seconds }
        for file in files where size > Self.limit {
            try? folder.unlink(file.name)
            size &-= file.status.size
        }
    }
}
