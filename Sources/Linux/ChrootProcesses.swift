import Glibc
package import SystemPackage

/// The processes whose root directory is a tree that this program has made. See `proc(5)`.
package enum ChrootProcesses {
    /// How many rounds are made: a process may start another one while it is being ended.
    private static let rounds = 1000

    /// Ends all processes whose root directory is a directory below `base` that is `path` or above it.
    ///
    /// Returns whether none is left for sure. With `areDescendants` they descend from this process, which is their
    /// subreaper: then a child whose root cannot be read, as it has another user, is one of them.
    package static func end(around path: FilePath, below base: FilePath, areDescendants: Bool) -> Bool {
        guard let path = try? Directory(opening: path).descriptor.path(),
            let base = try? Directory(opening: base).descriptor.path()
        else { return false }
        guard let processes = try? Directory(opening: "/proc") else { return false }
        var killed: Set<pid_t> = []
        defer { for pid in killed { waitpid(pid, nil, WNOHANG) } }
        for round in 0..<rounds {
            guard let names = try? processes.names() else { return false }
            var isCertain = true
            var found: [pid_t] = []
            for pid in names.compactMap({ pid_t($0.text) }) where pid != getpid() {
                switch judge(pid, in: processes, path, base, areDescendants) {
                case .inside: found.append(pid)
                case .outside: break
                case .unknown: isCertain = false
                }
            }
            if found.isEmpty { return isCertain }
            for pid in found where kill(pid, SIGKILL) == 0 { killed.insert(pid) }
            for pid in killed { waitpid(pid, nil, WNOHANG) }
            usleep(round < 10 ? 1000 : 10_000)
        }
        return false
    }

    private enum Place { case inside, outside, unknown }

    private static func judge(
        _ pid: pid_t, in processes: borrowing Directory, _ path: PathBytes, _ base: PathBytes, _ areDescendants: Bool
    ) -> Place {
        let name = PathBytes("\(pid)")
        // A process that has ended is outside. The state and the parent follow the name, which may hold anything.
        guard let file = try? processes.open(name.appending("stat")),
            let status = try? file.readAll(limit: 1 << 12),
            let end = status.lastIndex(of: UInt8(ascii: ")"))
        else { return .outside }
        let fields = String(decoding: status[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 1, fields[0] != "Z", fields[0] != "X" else { return .outside }
        // A thread of the kernel's.
        if fields[1] == "2" || pid == 2 { return .outside }
        guard let process = try? processes.directory(name), let root = try? process.linkTarget("root") else {
            guard areDescendants else { return .unknown }
            return fields[1] == "\(getpid())" ? .inside : .outside
        }
        return root != base && root.isWithin(base) && path.isWithin(root) ? .inside : .outside
    }
}
