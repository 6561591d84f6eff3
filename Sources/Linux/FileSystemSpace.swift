import Glibc
package import SystemPackage

/// How much a file system holds. The corresponding function is `statvfs(3)`.
package struct FileSystemSpace: Hashable, Sendable {
    /// In bytes.
    package let total: Int64
    /// What this user may still write, in bytes.
    package let available: Int64

    package init(total: Int64, available: Int64) {
        self.total = total
        self.available = available
    }

    /// The space of the file system that a path is on.
    package init(of path: FilePath) throws {
        var status = statvfs()
        try unsafe path.withPlatformString { text in
            _ = try check("measure the file system of", path) { unsafe statvfs(text, &status) }
        }
        let block = Int64(clamping: status.f_frsize)
        total = Int64(clamping: status.f_blocks).multipliedReportingOverflow(by: block).partialValue
        available = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: block).partialValue
    }
}
