import CLinux
import Glibc
package import SystemPackage

/// The kind of a file.
package enum FileType: UInt8, Hashable, Sendable {
    case regular
    case directory
    case symlink
    case characterDevice
    case blockDevice
    case fifo
    case socket
}

/// The metadata of a file. The corresponding system call is `fstatat(2)`.
package struct FileStatus: Hashable, Sendable {
    package let type: FileType
    /// The twelve permission bits, setuid, setgid and sticky included.
    package let permissions: UInt32
    package let owner: UInt32
    package let group: UInt32
    /// In bytes.
    package let size: Int64
    package let device: UInt64
    package let inode: UInt64
    package let links: UInt64
    /// How many bytes of the file take no space on the disk, as the holes of a sparse file.
    package let unallocatedSize: Int64
    package let modified: FileTime
    package let changed: FileTime
    /// Of a device file: its numbers.
    package let deviceMajor: UInt32
    package let deviceMinor: UInt32

    init(_ status: stat) {
        type =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .regular
            }
        permissions = status.st_mode & 0o7777
        owner = status.st_uid
        group = status.st_gid
        size = Int64(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        links = UInt64(status.st_nlink)
        let (allocated, overflows) = Int64(status.st_blocks).multipliedReportingOverflow(by: 512)
        unallocatedSize = overflows ? 0 : max(0, size - allocated)
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim)
        deviceMajor = linux_major(UInt64(status.st_rdev))
        deviceMinor = linux_minor(UInt64(status.st_rdev))
    }
}

extension FileStatus {
    /// The metadata of what a path of the host leads to. The corresponding system call is `stat(2)`.
    package init(of path: FilePath) throws {
        var buffer = stat()
        try unsafe path.withPlatformString { text in
            _ = try check("stat", path) { unsafe stat(text, &buffer) }
        }
        self.init(buffer)
    }

    /// The metadata of what a descriptor refers to. The corresponding system call is `fstat(2)`.
    package init(of descriptor: FileDescriptor) throws {
        var buffer = stat()
        try check("stat", "a file") { unsafe fstat(descriptor.rawValue, &buffer) }
        self.init(buffer)
    }
}

extension FileDescriptor {
    /// Whether this is a regular file whose writes go where they are asked to, and not always to its end.
    package var takesWritesAnywhere: Bool {
        (try? FileStatus(of: self))?.type == .regular && fcntl(rawValue, F_GETFL) & O_APPEND == 0
    }
}

/// A file's time stamp.
package struct FileTime: Hashable, Sendable, Comparable {
    /// Since the epoch.
    package let seconds: Int64
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    var timespec: timespec { Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)) }

    /// The clock of the system. The corresponding system call is `clock_gettime(2)`.
    package static var now: FileTime {
        var time = Glibc.timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(time)
    }

    package static func < (lhs: FileTime, rhs: FileTime) -> Bool {
        (lhs.seconds, lhs.nanoseconds) < (rhs.seconds, rhs.nanoseconds)
    }
}
