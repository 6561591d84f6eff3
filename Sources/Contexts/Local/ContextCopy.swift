import Diagnostics
import Linux
package import SystemPackage
import Trees

/// A copy of a context as another user has it elsewhere: in another directory, with a stricter mask, files made in another
/// order and at another time. What is in it, and what may be executed, is the same.
package enum ContextCopy {
    /// Copies all files, `.git` included. Devices, sockets and FIFOs are left out.
    package static func make(of source: FilePath, at target: FilePath) throws {
        try FileSystem.makeDirectories(target)
        let from = try Directory(opening: source)
        let to = try Directory(opening: target)
        var pending: [PathBytes] = [""]
        while let path = pending.popLast() {
            guard path.depth < PathBytes.depthLimit else {
                throw ContextsError(
                    .badContext, "the context has more than \(PathBytes.depthLimit) directories, one in another")
            }
            let directory = try from.directory(path.isEmpty ? "." : path, resolving: .noSymlinks)
            let copy = try to.directory(path.isEmpty ? "." : path, resolving: .noSymlinks)
            // The order in which a directory lists its files is often that in which they were made.
            for name in try directory.names().reversed() {
                guard let status = try directory.statusIfExists(name) else { continue }
                let permissions = status.permissions & 0o700
                switch status.type {
                case .directory:
                    try copy.makeDirectory(name, permissions: permissions | 0o300)
                    pending.append(path.appending(name))
                case .regular: try self.copy(name, directory, copy, permissions)
                case .symlink: try copy.makeSymlink(name, to: directory.linkTarget(name))
                default: break
                }
            }
        }
    }

    private static func copy(
        _ name: PathBytes, _ source: borrowing Directory, _ target: borrowing Directory, _ permissions: UInt32
    ) throws {
        let input = try source.open(name, resolving: .noSymlinks)
        let output = try target.create(name, permissions: 0o600)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try input.read(into: &buffer)
            if count == 0 { break }
            try output.write(buffer.span.extracting(..<count))
        }
        try target.setPermissions(name, permissions)
    }
}
