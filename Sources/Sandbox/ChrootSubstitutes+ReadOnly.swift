package import Linux
package import SystemPackage

extension ChrootSubstitutes {
    /// Looks for a change of a file in a read-only substitute.
    ///
    /// Without a mount nothing keeps root from writing to a file of its tree. A process cannot set the time of a file's
    /// last change, so a write is found afterwards.
    ///
    /// - Parameter time: the time of a change after the substitutes were put in place and before the command began.
    /// - Returns: the path of a changed file, as the command knows it; `nil` if there is none.
    /// - Throws: `LinuxError`.
    package func changedReadOnly(since time: FileTime) throws -> FilePath? {
        // A substitute in another one is judged by itself.
        let inodes = Set(sites.compactMap(\.inode))
        for site in sites where site.substitute.isReadOnly {
            let target = site.substitute.target
            guard let status = try site.parent.directory.statusIfExists(site.name), status.inode == site.inode,
                status.changed < time
            else { return target }
            guard status.type == .directory,
                let path = try Self.changed(in: site.name, of: site.parent.directory, since: time, leavingOut: inodes)
            else { continue }
            return target.appending(path.text)
        }
        return nil
    }

    private static func changed(
        in name: PathBytes, of parent: borrowing Directory, since time: FileTime, leavingOut inodes: Set<UInt64>
    ) throws -> PathBytes? {
        let walk = try DirectoryStack(parent)
        try walk.enter(name)
        var open = [(path: PathBytes(""), rest: try walk.current.directory.names())]
        while !open.isEmpty {
            guard let child = open[open.count - 1].rest.popLast() else {
                try walk.leave()
                open.removeLast()
                continue
            }
            let status = try walk.current.directory.status(child)
            if inodes.contains(status.inode) { continue }
            let path = open[open.count - 1].path.appending(child)
            if status.changed >= time { return path }
            guard status.type == .directory else { continue }
            try walk.enter(child)
            open.append((path, try walk.current.directory.names()))
        }
        return nil
    }
}
