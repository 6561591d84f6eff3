import CLinux
import Diagnostics
import Glibc
package import SystemPackage

/// How far a path may lead when it is opened below a directory.
package enum Resolve: Sendable {
    /// Never above the directory: `..` and absolute links that leave it are errors.
    case beneath
    /// The directory is the root: `..` stops there and absolute links start there, as after `chroot`.
    case inRoot
    /// As `beneath`, and no component may be a symbolic link.
    case noSymlinks

    var flags: UInt64 {
        switch self {
        case .beneath: LINUX_RESOLVE_BENEATH | LINUX_RESOLVE_NO_MAGICLINKS
        case .inRoot: LINUX_RESOLVE_IN_ROOT | LINUX_RESOLVE_NO_MAGICLINKS
        case .noSymlinks: LINUX_RESOLVE_BENEATH | LINUX_RESOLVE_NO_SYMLINKS
        }
    }
}

/// An open directory: every path given to it stays below it.
package struct Directory: ~Copyable, Sendable {
    package let descriptor: OwnedDescriptor

    /// Takes a descriptor that refers to a directory.
    package init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Opens a directory of the host.
    package init(opening path: FilePath) throws {
        descriptor = try .open(path, .readOnly, options: .directory)
    }

    private var number: CInt { descriptor.number }

    /// Opens a path below the directory. The corresponding system call is `openat2(2)`.
    package func open(
        _ path: PathBytes, _ flags: CInt = O_RDONLY, mode: UInt32 = 0, resolving resolve: Resolve = .beneath
    ) throws -> OwnedDescriptor {
        let path = path.isEmpty ? "." : path
        let descriptor = try unsafe path.withCString { name in
            try check("open", path) {
                unsafe linux_openat2(number, name, UInt64(flags | O_CLOEXEC), UInt64(mode), resolve.flags)
            }
        }
        return OwnedDescriptor(FileDescriptor(rawValue: descriptor))
    }

    /// Opens a directory below this one.
    package func directory(_ path: PathBytes, resolving resolve: Resolve = .beneath) throws -> Directory {
        Directory(try open(path, O_RDONLY | O_DIRECTORY, resolving: resolve))
    }

    /// The metadata of a name in this directory; links are not followed. The corresponding system call is `fstatat(2)`.
    package func status(_ name: PathBytes) throws -> FileStatus {
        var buffer = stat()
        try unsafe name.withCString { text in
            try check("stat", name) { unsafe fstatat(number, text, &buffer, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(buffer)
    }

    /// The metadata of a name, or `nil` when there is none.
    package func statusIfExists(_ name: PathBytes) throws -> FileStatus? {
        do { return try status(name) } catch let error as LinuxError where error.code == .notFound { return nil }
    }

    /// The names in the directory but `.` and `..`, in byte order.
    package func names() throws -> [PathBytes] {
        // fdopendir takes its descriptor over, and reading moves its position: so it gets one of its own.
        let copy = try open(".", O_RDONLY | O_DIRECTORY)
        guard let stream = unsafe fdopendir(copy.number) else { throw LinuxError(.current, "list", "a directory") }
        _ = copy.release()
        defer { unsafe closedir(stream) }
        var names: [PathBytes] = []
        Glibc.errno = 0
        while let entry = unsafe readdir(stream) {
            let name = unsafe linux_dirent_name(entry)
            guard let name = unsafe name else { continue }
            let count = unsafe strlen(name)
            let bytes = unsafe UnsafeRawBufferPointer(start: name, count: count)
            if unsafe bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) { continue }
            names.append(PathBytes(unsafe Array(bytes)))
        }
        if Glibc.errno != 0 { throw LinuxError(.current, "list", "a directory") }
        names.sort()
        return names
    }

    /// The target of a symbolic link. The corresponding system call is `readlinkat(2)`.
    package func linkTarget(_ name: PathBytes) throws -> PathBytes {
        var buffer = [UInt8](repeating: 0, count: 4097)
        let count = try unsafe name.withCString { text in
            try check("read link", name) {
                unsafe buffer.withUnsafeMutableBytes { raw in
                    let chars = unsafe raw.bindMemory(to: CChar.self)
                    return unsafe chars.baseAddress.map { unsafe readlinkat(number, text, $0, chars.count) } ?? 0
                }
            }
        }
        return PathBytes(buffer[..<count])
    }
}

extension Directory {
    /// Creates a directory with exactly these permissions; an existing one is an error. See `mkdirat(2)`.
    package func makeDirectory(_ name: PathBytes, permissions: UInt32) throws {
        try unsafe name.withCString { text in
            try check("create", name) { unsafe mkdirat(number, text, permissions) }
            // The umask may have taken bits away, and mkdir does not set setuid, setgid and sticky everywhere.
            try check("chmod", name) { unsafe fchmodat(number, text, permissions, 0) }
        }
    }

    /// Creates a regular file, which must not exist, and opens it for writing. See `openat2(2)`.
    package func create(_ name: PathBytes, permissions: UInt32 = 0o644) throws -> OwnedDescriptor {
        try open(name, O_WRONLY | O_CREAT | O_EXCL, mode: permissions, resolving: .noSymlinks)
    }

    /// Creates a symbolic link. The corresponding system call is `symlinkat(2)`.
    package func makeSymlink(_ name: PathBytes, to target: PathBytes) throws {
        try unsafe name.withCString { text in
            try unsafe target.withCString { target in
                try check("create", name) { unsafe symlinkat(target, number, text) }
            }
        }
    }

    /// Creates a hard link to a name in `directory`; a symbolic link is linked itself. See `linkat(2)`.
    package func makeHardLink(_ name: PathBytes, to target: PathBytes, in directory: borrowing Directory) throws {
        try unsafe name.withCString { text in
            try unsafe target.withCString { old in
                try check("link", name) { unsafe linkat(directory.number, old, number, text, 0) }
            }
        }
    }

    /// Creates a device, fifo or socket. The corresponding system call is `mknodat(2)`.
    package func makeNode(
        _ name: PathBytes, _ type: FileType, permissions: UInt32, major: UInt32 = 0, minor: UInt32 = 0
    ) throws {
        let kind: UInt32 =
            switch type {
            case .characterDevice: S_IFCHR
            case .blockDevice: S_IFBLK
            case .socket: S_IFSOCK
            default: S_IFIFO
            }
        try unsafe name.withCString { text in
            try check("create", name) {
                unsafe mknodat(number, text, kind | permissions, dev_t(linux_makedev(major, minor)))
            }
            try check("chmod", name) { unsafe fchmodat(number, text, permissions, 0) }
        }
    }

    /// Changes owner and group of a name, not following links. The corresponding system call is `fchownat(2)`.
    package func setOwner(_ name: PathBytes, _ owner: UInt32, _ group: UInt32) throws {
        try unsafe name.withCString { text in
            try check("change the owner of", name) {
                unsafe fchownat(number, text, owner, group, AT_SYMLINK_NOFOLLOW)
            }
        }
    }

    /// Changes the permission bits of a name that is not a symbolic link. See `fchmodat(2)`.
    package func setPermissions(_ name: PathBytes, _ permissions: UInt32) throws {
        try unsafe name.withCString { text in
            try check("chmod", name) { unsafe fchmodat(number, text, permissions, 0) }
        }
    }

    /// Sets access and modification time of a name, not following links. The corresponding system call is `utimensat(2)`.
    package func setModified(_ name: PathBytes, _ time: FileTime) throws {
        let times = [time.timespec, time.timespec]
        try unsafe name.withCString { text in
            try check("set the time of", name) {
                unsafe times.withUnsafeBufferPointer {
                    unsafe utimensat(number, text, $0.baseAddress, AT_SYMLINK_NOFOLLOW)
                }
            }
        }
    }

    /// Removes a name that is not a directory. The corresponding system call is `unlinkat(2)`.
    package func unlink(_ name: PathBytes) throws {
        try unsafe name.withCString { text in
            try check("remove", name) { unsafe unlinkat(number, text, 0) }
        }
    }

    /// Removes an empty directory. The corresponding system call is `unlinkat(2)` with `AT_REMOVEDIR`.
    package func removeDirectory(_ name: PathBytes) throws {
        try unsafe name.withCString { text in
            try check("remove", name) { unsafe unlinkat(number, text, AT_REMOVEDIR) }
        }
    }

    /// Moves a name, replacing what is there as far as `rename(2)` does.
    package func rename(_ name: PathBytes, to newName: PathBytes, in directory: borrowing Directory) throws {
        try unsafe name.withCString { old in
            try unsafe newName.withCString { new in
                try check("rename", name) { unsafe renameat(number, old, directory.number, new) }
            }
        }
    }
}
