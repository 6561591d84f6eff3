import Diagnostics
import Linux
package import OCI
package import SystemPackage

/// The files of a directory, below which they stay.
package struct DirectoryFiles: ImageFiles {
    package let path: FilePath

    /// Throws when there is no such directory.
    package init(_ path: FilePath) throws {
        guard try FileStatus(of: path).type == .directory else {
            throw TransportsError(.badArchive, "'\(path)' is not a directory")
        }
        self.path = path
    }

    package var place: String { "'\(path)'" }

    private func file(_ name: String) throws -> OwnedDescriptor {
        try Directory(opening: path).open(PathBytes(name))
    }

    package func size(of name: String) throws -> Int64? {
        do {
            let status = try file(name).status()
            return status.type == .regular ? status.size : nil
        } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    package func reader(of name: String, from offset: Int64) throws -> any BlobReader {
        let file = SharedDescriptor(try file(name))
        return FileRangeReader(file, offset..<max(offset, try file.descriptor.status().size))
    }
}
