import Linux
import SystemPackage

/// A directory for one test, removed after it.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        path = FilePath("/tmp/lamina-records-\(ProcessIdentity.current)-\(UInt64.random(in: 0 ... .max))")
        try Directory(opening: "/tmp").makeDirectory(PathBytes(path.lastComponent?.string ?? ""), permissions: 0o755)
    }

    deinit {
        try? Directory(opening: "/tmp").removeTree(PathBytes(path.lastComponent?.string ?? ""))
    }
}
