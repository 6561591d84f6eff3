import Glibc
import SystemPackage

/// A directory that is gone when its test is over.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        path = try Self.makeDirectory()
    }

    deinit {
        // A store may hold directories that only root may enter, and files of other owners; rm does not mind.
        _ = try? run("rm", "-rf", path.string)
    }

    /// A directory for what tests share; it goes when the test process ends.
    static let shared: Result<FilePath, any Error> = Result {
        let directory = try makeDirectory()
        atexit {
            if let directory = try? Scratch.shared.get() { _ = try? run("rm", "-rf", directory.string) }
        }
        return directory
    }

    private static func makeDirectory() throws -> FilePath {
        FilePath(try expectSuccess("mktemp", "-d", "--tmpdir", "lamina-tests.XXXXXXXX").trimmed)
    }

    /// Writes a file, and the directories above it.
    @discardableResult
    func write(_ text: String, to name: String, mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead])
        throws -> FilePath
    {
        let file = path.appending(name)
        try expectSuccess("mkdir", "-p", file.removingLastComponent().string)
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate], permissions: mode)
        _ = try descriptor.closeAfter { try descriptor.writeAll(Array(text.utf8)) }
        return file
    }

    /// A context that is one Dockerfile.
    @discardableResult
    func context(_ dockerfile: String, named name: String = "context") throws -> FilePath {
        try write(dockerfile, to: "\(name)/Dockerfile")
        return path.appending(name)
    }
}

/// The bytes of a file.
func contents(of file: FilePath) throws -> [UInt8] {
    let descriptor = try FileDescriptor.open(file, .readOnly)
    return try descriptor.closeAfter {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try unsafe piece.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
            if count == 0 { return all }
            all += piece[..<count]
        }
    }
}

/// The text of a file.
func text(of file: FilePath) throws -> String {
    String(decoding: try contents(of: file), as: UTF8.self)
}
