import Glibc
package import Linux

/// The inode and the time of the last change of each file of a tree, by which touched files are found later.
///
/// Whatever happens to a file, be it to its content or to its metadata, the kernel sets the time of its change, which
/// nobody can set to another value. So no content has to be read to find the files to look at.
package struct TreeStamps: Sendable {
    private struct Stamp: Hashable, Sendable {
        let inode: UInt64
        let changed: FileTime
    }

    /// The files of each directory, by path and name.
    private var directories: [PathBytes: [PathBytes: Stamp]] = [:]

    private init() {}

    /// Looks at all files below a directory.
    package init(of root: borrowing Directory) throws { (_, self) = try TreeStamps().changes(in: root) }

    /// The number of files.
    package var count: Int { directories.values.reduce(0) { $0 + $1.count } }

    /// The files that may have changed: new or touched ones, with the directories they are in, and whiteouts for removed
    /// ones, in the order of a walk.
    ///
    /// - Returns: these, and the stamps of the tree as it is now.
    package func changes(in root: borrowing Directory) throws -> (found: [FoundFile], now: TreeStamps) {
        var found: [FoundFile] = []
        var now = TreeStamps()
        try walk(root, "", into: &found, &now)
        return (found, now)
    }

    private func walk(
        _ directory: borrowing Directory, _ path: PathBytes, into found: inout [FoundFile], _ now: inout TreeStamps
    ) throws {
        let before = directories[path] ?? [:]
        let names = try directory.names()
        var stamps: [PathBytes: Stamp] = [:]
        stamps.reserveCapacity(names.count)
        var missing = before.isEmpty ? [] : before.keys.filter { !names.containsSorted($0) }.sorted { $1 < $0 }
        for name in names {
            while let gone = missing.last, gone < name {
                found.append(FoundFile(LayerEntry(path: path.appending(gone), kind: .whiteout)))
                missing.removeLast()
            }
            let status = try directory.status(name)
            let stamp = Stamp(inode: status.inode, changed: status.changed)
            stamps[name] = stamp
            let isTouched = before[name] != stamp
            let child = path.appending(name)
            guard status.type == .directory else {
                if isTouched, let file = try Self.file(name, at: child, status, in: directory) { found.append(file) }
                continue
            }
            let position = found.count
            try walk(try directory.directory(name, resolving: .noSymlinks), child, into: &found, &now)
            guard isTouched || found.count > position else { continue }
            if let file = try Self.file(name, at: child, status, in: directory) { found.insert(file, at: position) }
        }
        for gone in missing.reversed() {
            found.append(FoundFile(LayerEntry(path: path.appending(gone), kind: .whiteout)))
        }
        now.directories[path] = stamps
    }

    /// A file without what would mean something to an overlay: here somebody else has set it.
    private static func file(
        _ name: PathBytes, at path: PathBytes, _ status: FileStatus, in directory: borrowing Directory
    ) throws -> FoundFile? {
        var file = try FoundFile(name, at: path, status, in: directory)
        file?.entry.attributes.removeAll { OverlayAttribute.isInternal($0.name) }
        return file
    }

    /// Waits until a change in the file system of `directory` gets a later time than all before it.
    ///
    /// Many file systems take the time from a clock that ticks every few milliseconds. `name` is a file in the directory
    /// to try it on, which is made when it is missing.
    package static func waitForTick(in directory: borrowing Directory, _ name: PathBytes = "clock") throws {
        func touch() throws -> FileTime {
            try directory.setModified(name, FileTime.now)
            return try directory.status(name).changed
        }
        _ = try directory.open(name, O_WRONLY | O_CREAT, mode: 0o600, resolving: .noSymlinks)
        let start = try touch()
        // Some file systems count whole seconds. One whose clock stands still longer has none.
        for _ in 0..<6000 where try touch() == start { usleep(500) }
    }
}

extension [PathBytes] {
    /// Whether a sorted array has the element.
    fileprivate func containsSorted(_ element: PathBytes) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == element
    }
}
