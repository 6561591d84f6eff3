/// The size of files and of trees of them, in bytes.
package struct TreeSize {
    package private(set) var bytes: Int64 = 0
    /// Device and inode of files with several links.
    private var seen: Set<[UInt64]> = []

    package init() {}

    package init(of name: PathBytes, in directory: borrowing Directory) { add(name, in: directory) }

    /// Adds what is there; what cannot be read counts nothing.
    package mutating func add(_ name: PathBytes, in directory: borrowing Directory) {
        guard let walk = try? DirectoryStack(directory) else { return }
        var open = [[name]]
        while !open.isEmpty {
            guard let name = open[open.count - 1].popLast() else {
                open.removeLast()
                // Where the way back is lost, the rest counts nothing either.
                if !open.isEmpty { do { try walk.leave() } catch { return } }
                continue
            }
            guard let status = try? walk.current.directory.status(name) else { continue }
            if status.type == .directory {
                guard (try? walk.enter(name)) != nil else { continue }
                open.append((try? walk.current.directory.names()) ?? [])
            } else if status.type == .regular {
                if status.links > 1, !seen.insert([status.device, status.inode]).inserted { continue }
                let (sum, overflows) = bytes.addingReportingOverflow(status.size)
                bytes = overflows ? .max : sum
            }
        }
    }
}
