import Glibc
package import SystemPackage

/// How much a file system holds. The corresponding function is `statvfs(3)`.
package struct FileSystemSpace: Hashable, Sendable {
    /// In bytes.
    package let total: Int64
    /// The space that this user may still use, in bytes.
    package let available: Int64

    /// Whether no further file can be made, as the file system has a fixed number of inodes and all are used.
    package let lacksInodes: Bool

    package init(total: Int64, available: Int64, lacksInodes: Bool = false) {
        self.total = total
        self.available = available
        self.lacksInodes = lacksInodes
    }

    /// The space of the file system that a path is on.
    package init(of path: FilePath) throws {
        var status = statvfs()
        try unsafe path.withPlatformString { text in
            _ = try check("measure the file system of", path) { unsafe statvfs(text, &status) }
        }
        self.init(status)
    }

    /// The space of the file system that an open file is on.
    package init(of file: FileDescriptor) throws {
        var status = statvfs()
        try check("measure the file system of", "an open file") { unsafe fstatvfs(file.rawValue, &status) }
        self.init(status)
    }

    private init(_ status: statvfs) {
        func bytes(_ blocks: some BinaryInteger) -> Int64 {
            let (count, overflows) = Int64(clamping: blocks).multipliedReportingOverflow(
                by: Int64(clamping: status.f_frsize))
            return overflows ? .max : count
        }
        total = bytes(status.f_blocks)
        available = bytes(status.f_bavail)
        // File systems without a fixed number of inodes say 0 of 0.
        lacksInodes = status.f_files > 0 && status.f_favail == 0
    }

    /// The space that may be used while a reserve is kept for databases and other programs: 64 MiB, or
    /// a twentieth of a small file system. In bytes.
    package var usable: Int64 { max(0, available - min(64 << 20, total / 20)) }
}
