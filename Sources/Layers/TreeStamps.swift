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
        let walk = try DirectoryStack(root)
        var open = [Open("", try root.names(), before: directories[""] ?? [:])]
        while !open.isEmpty {
            let last = open.count - 1
            guard let name = open[last].names.popFirst() else {
                for gone in open[last].missing.reversed() { found.append(open[last].whiteout(gone)) }
                now.directories[open[last].path] = open[last].stamps
                open.removeLast()
                if !open.isEmpty { try Self.leave(walk, &open[last - 1], &found) }
                continue
            }
            for gone in open[last].takeMissing(before: name) { found.append(open[last].whiteout(gone)) }
            let status = try walk.current.directory.status(name)
            let isTouched = open[last].note(name, Stamp(inode: status.inode, changed: status.changed))
            let path = open[last].path.appending(name)
            if status.type == .directory {
                guard open.count < PathBytes.depthLimit else { throw LayerError.tooDeep }
                open[last].child = Child(name: name, status: status, isTouched: isTouched, position: found.count)
                try walk.enter(name)
                open.append(Open(path, try walk.current.directory.names(), before: directories[path] ?? [:]))
            } else if isTouched, let file = try Self.file(name, at: path, status, in: walk.current.directory) {
                found.append(file)
            }
        }
        return (found, now)
    }

    /// A directory whose files are being looked at.
    private struct Open {
        let path: PathBytes
        var names: ArraySlice<PathBytes>
        let before: [PathBytes: Stamp]
        var stamps: [PathBytes: Stamp] = [:]
        /// The names that were there before and are not now, the last first.
        var missing: [PathBytes]
        /// The directory in it that is being looked at.
        var child: Child?

        init(_ path: PathBytes, _ names: [PathBytes], before: [PathBytes: Stamp]) {
            self.path = path
            self.names = names[...]
            self.before = before
            stamps.reserveCapacity(names.count)
            missing = before.isEmpty ? [] : before.keys.filter { !names.containsSorted($0) }.sorted { $1 < $0 }
        }

        func whiteout(_ name: PathBytes) -> FoundFile {
            FoundFile(LayerEntry(path: path.appending(name), kind: .whiteout))
        }

        mutating func takeMissing(before name: PathBytes) -> [PathBytes] {
            var gone: [PathBytes] = []
            while let next = missing.last, next < name {
                gone.append(next)
                missing.removeLast()
            }
            return gone
        }

        /// Says whether the file is new or was touched.
        mutating func note(_ name: PathBytes, _ stamp: Stamp) -> Bool {
            stamps[name] = stamp
            return before[name] != stamp
        }
    }

    private struct Child {
        let name: PathBytes
        let status: FileStatus
        let isTouched: Bool
        /// The place of the directory among the files that were found.
        let position: Int
    }

    /// Goes back to a directory, whose child is in the list if it or anything in it was touched.
    private static func leave(
        _ walk: DirectoryStack, _ parent: inout Open, _ found: inout [FoundFile]
    ) throws {
        try walk.leave()
        guard let child = parent.child.take(), child.isTouched || found.count > child.position else { return }
        let path = parent.path.appending(child.name)
        if let file = try file(child.name, at: path, child.status, in: walk.current.directory) {
            found.insert(file, at: child.position)
        }
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
    ///
    /// - Returns: a time that no earlier change has, and no later change is before; `nil` where the clock stands still.
    @discardableResult
    package static func waitForTick(
        in directory: borrowing Directory, _ name: PathBytes = "clock"
    ) throws -> FileTime? {
        func touch() throws -> FileTime {
            try directory.setModified(name, FileTime.now)
            return try directory.status(name).changed
        }
        _ = try directory.open(name, O_WRONLY | O_CREAT, mode: 0o600, resolving: .noSymlinks)
        let start = try touch()
        // Some file systems count whole seconds. One whose clock stands still longer has none.
        for _ in 0..<6000 {
            let time = try touch()
            if time != start { return time }
            usleep(500)
        }
        return nil
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
