import CLinux
import Glibc
package import SystemPackage

/// Kinds of namespaces. The raw values are the `CLONE_NEW` flags of `clone(2)`.
package struct NamespaceSet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let mount = NamespaceSet(rawValue: 0x0002_0000)
    package static let controlGroup = NamespaceSet(rawValue: 0x0200_0000)
    package static let hostname = NamespaceSet(rawValue: 0x0400_0000)
    package static let interprocess = NamespaceSet(rawValue: 0x0800_0000)
    package static let user = NamespaceSet(rawValue: 0x1000_0000)
    package static let process = NamespaceSet(rawValue: 0x2000_0000)
    package static let network = NamespaceSet(rawValue: 0x4000_0000)

    /// Why this process cannot have a child in new namespaces of these kinds, or `nil` if it can: found by making one,
    /// which ends at once.
    package func obstacle() -> Errno? {
        var program = unsafe linux_spawn_program()
        unsafe program.clone_flags = rawValue
        unsafe program.stdio = (-1, -1, -1)
        unsafe program.control_group = -1
        var result = unsafe linux_spawn_result()
        let outcome = unsafe linux_spawn(&program, &result)
        defer { unsafe linux_spawn_release(&result) }
        guard outcome == 0 else { return unsafe Errno(rawValue: result.error) }
        let (pid, process) = unsafe (result.pid, result.pidfd)
        close(process)
        _ = try? check("wait for", "a child") { waitpid(pid, nil, 0) }
        return nil
    }
}

/// How control groups are mounted on this machine.
package struct ControlGroupFacts: Hashable, Sendable {
    package enum Layout: String, Hashable, Sendable {
        case none
        /// Version 1 only.
        case legacy
        /// Version 1 controllers, and a version 2 hierarchy without them.
        case hybrid
        /// Version 2 only.
        case unified
    }

    package let layout: Layout
    /// The names of the controllers, sorted, e.g. `cpu memory pids`.
    package let controllers: [String]

    /// - Parameters:
    ///   - mounts: the content of `/proc/self/mountinfo`.
    ///   - unifiedControllers: the content of `cgroup.controllers` at the root of the version 2 hierarchy.
    package init(mounts: String, unifiedControllers: String?) {
        var legacy: Set<String> = []
        var hasUnified = false
        for line in mounts.split(separator: "\n") {
            guard let end = line.firstRange(of: " - ") else { continue }
            let fields = line[end.upperBound...].split(separator: " ")
            guard let type = fields.first else { continue }
            if type == "cgroup2" { hasUnified = true }
            guard type == "cgroup", let options = fields.last else { continue }
            let names = options.split(separator: ",").filter { $0 != "rw" && $0 != "ro" && !$0.contains("=") }
            legacy.formUnion(names.map(String.init))
        }
        let unified = unifiedControllers.map { $0.split(whereSeparator: \.isWhitespace).map(String.init) } ?? []
        layout =
            switch (legacy.isEmpty, hasUnified) {
            case (true, true): .unified
            case (true, false): .none
            case (false, true): .hybrid
            case (false, false): .legacy
            }
        controllers = legacy.union(unified).sorted()
    }

    package static func probe() -> ControlGroupFacts {
        let mounts = (try? readText("/proc/self/mountinfo")) ?? ""
        let roots: [FilePath] = ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/unified/cgroup.controllers"]
        let controllers = roots.lazy.compactMap { try? readText($0) }.first
        return ControlGroupFacts(mounts: mounts, unifiedControllers: controllers)
    }
}

/// A range of user or group numbers somebody may use in a user namespace. See `subuid(5)`.
package struct SubordinateRange: Hashable, Sendable {
    package let start: UInt32
    package let count: UInt32

    package init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    /// The ranges of one user, known by name or number, in the text of `/etc/subuid` or `/etc/subgid`: lines of
    /// `user:start:count`.
    package static func ranges(in text: String, name: String?, uid: UInt32) -> [SubordinateRange] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, !fields[0].isEmpty, fields[0] == name ?? "" || fields[0] == "\(uid)",
                let start = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0,
                !start.addingReportingOverflow(count - 1).overflow
            else { return nil }
            return SubordinateRange(start: start, count: count)
        }
    }
}

/// The content of a small text file of the host.
package func readText(_ path: FilePath) throws -> String {
    String(decoding: try OwnedDescriptor.open(path).readAll(limit: 16 << 20), as: UTF8.self)
}
