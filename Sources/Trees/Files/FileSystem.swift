import Diagnostics
import Glibc
package import Linux
package import SystemPackage

/// Operations on files of the host outside the store.
package enum FileSystem {
    /// Makes a directory and those above it; what is there stays.
    package static func makeDirectories(_ path: FilePath) throws {
        var made = FilePath(root: path.root, [])
        for component in path.components {
            made.append(component)
            let parent = made.removingLastComponent()
            let directory = try Directory(opening: parent.isEmpty ? "." : parent)
            do {
                try directory.makeDirectory(PathBytes(component.string), permissions: 0o755)
            } catch let error as LinuxError where error.code == .exists {
                continue
            }
        }
    }

    /// The path as seen from the root directory, for those who leave the working directory.
    package static func absolute(_ path: FilePath) -> FilePath {
        guard !path.isAbsolute, let directory = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(directory) }
        return unsafe FilePath(platformString: directory).pushing(path)
    }

    /// The path of a file relative to a directory that it is in, links resolved; `nil` if it is elsewhere.
    package static func path(of file: FilePath, below directory: FilePath) -> PathBytes? {
        guard let file = resolved(file), let directory = resolved(directory) else { return nil }
        let prefix = directory.bytes.last == UInt8(ascii: "/") ? directory.bytes : directory.bytes + [UInt8(ascii: "/")]
        guard file.bytes.count > prefix.count, file.bytes.starts(with: prefix) else { return nil }
        return PathBytes(file.bytes[prefix.count...])
    }

    /// The path without links. The corresponding library function is `realpath(3)`.
    private static func resolved(_ path: FilePath) -> PathBytes? {
        guard let resolved = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(resolved) }
        return PathBytes(
            unsafe UnsafeBufferPointer(start: resolved, count: strlen(resolved)).map { UInt8(bitPattern: $0) })
    }

    /// Writes a file and renames it into place, so that a reader sees all of it or none.
    package static func write(_ bytes: [UInt8], to path: FilePath) throws {
        try replace(path) { try $0.write(bytes.span) }
    }

    /// Copies the rest of a file and renames the copy into place.
    package static func copy(_ source: borrowing OwnedDescriptor, to path: FilePath) throws {
        let size = try source.status().size
        try replace(path) { target in try source.readPieces(of: size) { try target.write($0) } }
    }

    /// Gives `body` a file that takes the place of `path` when it returns; a failure leaves what was there. A device
    /// or a
    /// pipe is written to.
    package static func replace<Value>(
        _ path: FilePath, _ body: (borrowing OwnedDescriptor) throws -> Value
    ) throws -> Value {
        do {
            let replacement = try FileReplacement(path)
            let value = try body(replacement.file)
            try replacement.commit()
            return value
        } catch {
            // The user knows the file by its own name, not by that of its unfinished copy.
            guard let errno = (error as? LinuxError)?.errno else { throw error }
            throw LinuxError(errno, "write", path)
        }
    }
}
