import CLinux
import Diagnostics
import Glibc
package import SystemPackage

/// A file descriptor with one owner, closed when the owner is done with it.
package struct OwnedDescriptor: ~Copyable, Sendable {
    package let raw: FileDescriptor

    package init(_ raw: FileDescriptor) { self.raw = raw }

    deinit { try? raw.close() }

    /// The number of the descriptor.
    package var number: CInt { raw.rawValue }

    /// Gives up ownership: the caller closes the descriptor.
    package consuming func release() -> FileDescriptor {
        let descriptor = raw
        discard self
        return descriptor
    }
}

extension OwnedDescriptor {
    /// Opens a path of the host. The corresponding system call is `open(2)`, always with `O_CLOEXEC`.
    package static func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode = .readOnly, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil
    ) throws -> OwnedDescriptor {
        do {
            return OwnedDescriptor(
                try FileDescriptor.open(path, mode, options: options.union(.closeOnExec), permissions: permissions))
        } catch let error as Errno {
            throw LinuxError(error, "open", path)
        }
    }

    /// The path of the file as the kernel has it, without links in it.
    package func path() throws -> PathBytes {
        try Directory(opening: "/proc/self/fd").linkTarget(PathBytes("\(number)"))
    }

    /// Reads into the front of `buffer`; 0 at the end. The corresponding system call is `read(2)`.
    package func read(into buffer: inout [UInt8]) throws -> Int {
        do {
            return try unsafe buffer.withUnsafeMutableBytes { try unsafe raw.read(into: $0) }
        } catch let error as Errno {
            throw LinuxError(error, "read", "a file")
        }
    }

    /// Reads into the front of `buffer` from a position of the file; 0 at its end. The corresponding system call is
    /// `pread(2)`.
    package func read(into buffer: inout [UInt8], from position: Int64) throws -> Int {
        do {
            return try unsafe buffer.withUnsafeMutableBytes {
                try unsafe raw.read(fromAbsoluteOffset: position, into: $0)
            }
        } catch let error as Errno {
            throw LinuxError(error, "read", "a file")
        }
    }

    /// Writes all bytes. The corresponding system call is `write(2)`.
    package func write(_ bytes: Span<UInt8>) throws {
        do {
            try unsafe bytes.withUnsafeBytes { _ = try unsafe raw.writeAll($0) }
        } catch let error as Errno {
            throw LinuxError(error, "write", "a file")
        }
    }

    /// Reads the rest of the file, at most `limit` bytes.
    ///
    /// Throws `LinuxError` `.other` when there are more.
    package func readAll(limit: Int) throws -> [UInt8] {
        var content: [UInt8] = []
        // A content that grows by doubling takes up to three times its size.
        content.reserveCapacity(min(limit, 1 << 28, max(0, Int(clamping: try status().size))))
        try readPieces(of: status().size) { piece in
            guard content.count + piece.count <= limit else {
                throw LinuxError(.other, "a file is larger than \(limit) bytes")
            }
            unsafe piece.withUnsafeBytes { unsafe content.append(contentsOf: $0) }
        }
        return content
    }

    /// Reads the rest of a file of about `size` bytes; `body` gets it piece by piece.
    ///
    /// Most files are small, and to clear a large buffer for each of them takes longer than to read it.
    package func readPieces(of size: Int64, _ body: (Span<UInt8>) throws -> Void) throws {
        // Files of /proc and pipes say that they have nothing in them.
        let count = size > 0 ? Int(min(size, 1 << 18 - 1)) + 1 : 1 << 16
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            let count = try read(into: &buffer)
            if count == 0 { return }
            try body(buffer.span.extracting(..<count))
        }
    }

    /// Appends the rest of this file to another one, sharing the disk's blocks where the file system can.
    ///
    /// The corresponding system call is `copy_file_range(2)`.
    package func copyContent(to target: borrowing OwnedDescriptor) throws {
        let (from, to) = (number, target.number)
        while true {
            let count = linux_copy_range(from, to, 1 << 30)
            if count > 0 { continue }
            if count == 0 { break }
            switch Errno.current {
            case .interrupted: continue
            // Between file systems, from a special file, or where a kernel has no such call: byte by byte.
            case .improperLink, .invalidArgument, .notSupported, .noFunction: break
            case let error: throw LinuxError(error, "copy", "a file")
            }
            break
        }
        // Some file systems, such as /proc, copy nothing and say so with a success.
        try readPieces(of: status().size) { try target.write($0) }
    }

    /// Moves the position. The corresponding system call is `lseek(2)`.
    package func seek(to offset: Int64) throws {
        do { _ = try raw.seek(offset: offset, from: .start) } catch let error as Errno {
            throw LinuxError(error, "seek in", "a file")
        }
    }

    /// Flushes the file to the disk. The corresponding system call is `fdatasync(2)`.
    package func synchronize() throws {
        try check("sync", "a file") { fdatasync(number) }
    }

    /// Flushes the whole file system of this file. The corresponding system call is `syncfs(2)`.
    package func synchronizeFileSystem() throws {
        try check("sync", "the file system") { linux_syncfs(number) }
    }

    /// The file that the descriptor refers to.
    package func status() throws -> FileStatus { try FileStatus(of: raw) }
}
