import SystemPackage

/// The control groups of this process.
package struct ControlGroupHierarchies: Hashable, Sendable {
    /// One tree of groups.
    struct Hierarchy: Hashable, Sendable {
        /// The mount point of the tree.
        let mountPoint: FilePath
        /// The group of this process as a path below the mount point; empty for the mount point itself.
        let own: String

        var ownDirectory: FilePath { Self.directory(own, below: mountPoint) }

        func directory(_ path: String) -> FilePath { Self.directory(path, below: mountPoint) }

        private static func directory(_ path: String, below mountPoint: FilePath) -> FilePath {
            mountPoint.pushing(FilePath(String(path.drop { $0 == "/" })))
        }
    }

    /// The trees of version 1, by the names of their controllers.
    let legacy: [String: Hierarchy]
    /// The tree of version 2.
    private(set) var unified: Hierarchy?

    /// The trees of version 1 only.
    package var withoutUnified: ControlGroupHierarchies {
        var others = self
        others.unified = nil
        return others
    }

    /// Whether there is nothing but version 2.
    package var isUnified: Bool { legacy.isEmpty && unified != nil }

    /// The controllers of version 1, sorted.
    package var legacyControllers: [String] { legacy.keys.sorted() }

    /// As this process found them when it first asked.
    package static let current = probe()

    /// - Parameters:
    ///   - mounts: the content of `/proc/self/mountinfo`.
    ///   - groups: the content of `/proc/self/cgroup`.
    package init(mounts: String, groups: String) {
        var paths: [String: String] = [:]
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for name in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(name)] = String(fields[2])
            }
        }
        var legacy: [String: Hierarchy] = [:]
        var unified: Hierarchy?
        for mount in mounts.split(separator: "\n").compactMap(MountLine.init) {
            func hierarchy(_ path: String) -> Hierarchy {
                Hierarchy(
                    mountPoint: FilePath(mount.mountPoint), own: Self.relative(path, to: mount.root))
            }
            // Of several mounts the first is as good as any.
            if mount.type == "cgroup2", unified == nil { unified = hierarchy(paths[""] ?? "/") }
            guard mount.type == "cgroup" else { continue }
            for option in mount.options where legacy[option] == nil {
                if let path = paths[option] { legacy[option] = hierarchy(path) }
            }
        }
        // Of the named trees, as systemd's, none controls anything.
        self.legacy = legacy.filter { !$0.key.contains("=") }
        self.unified = unified
    }

    package static func probe() -> ControlGroupHierarchies {
        ControlGroupHierarchies(
            mounts: (try? readText("/proc/self/mountinfo")) ?? "", groups: (try? readText("/proc/self/cgroup")) ?? "")
    }

    /// A path of the whole tree below the part of it that is mounted. A group outside of that part cannot be named.
    private static func relative(_ path: String, to root: String) -> String {
        guard root != "/" else { return path == "/" || path.hasPrefix("/..") ? "" : path }
        guard path.hasPrefix(root) else { return "" }
        let rest = path.dropFirst(root.count)
        return rest.isEmpty || rest.hasPrefix("/") ? String(rest) : ""
    }
}

/// A line of `/proc/self/mountinfo`. See `proc(5)`.
private struct MountLine {
    let root: String
    let mountPoint: String
    let type: String
    let options: [String]

    init?(_ line: Substring) {
        guard let end = line.firstRange(of: " - ") else { return nil }
        let before = line[..<end.lowerBound].split(separator: " ")
        let after = line[end.upperBound...].split(separator: " ")
        guard before.count >= 5, let type = after.first, let options = after.last else { return nil }
        root = String(before[3])
        mountPoint = String(before[4])
        self.type = String(type)
        self.options = options.split(separator: ",").map(String.init)
    }
}
