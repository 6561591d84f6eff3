import Diagnostics
import Glibc
import Synchronization
package import SystemPackage

/// A new control group, removed when its owner is done with it: one directory with version 2, one for each controller
/// with version 1.
///
/// Its name tells who made it, so that a later process removes the group of one that was killed.
package struct ControlGroup: ~Copyable, Sendable {
    /// The files to write a process number to, for a process to join the group.
    package let members: [FilePath]
    /// Whether version 2 is all there is.
    package let isUnified: Bool
    /// By controller; version 2 has one directory for all.
    private let directories: [String: FilePath]

    private static let prefix = "lamina-"
    private static let counter = Atomic<Int>(0)

    /// Makes a group below `parent`, a path in the tree of groups, or else where this process's own group is.
    ///
    /// Throws ``LinuxError`` with a sentence that says which limit cannot be applied, and why.
    package init(
        _ limits: ControlGroupLimits, parent: String? = nil, in hierarchies: ControlGroupHierarchies = .probe()
    ) throws {
        let group = try ControlGroupMaker(
            limits: limits, parent: parent, hierarchies: hierarchies, name: Self.newName()
        ).make()
        directories = group
        members = Set(group.values).map { $0.appending("cgroup.procs") }.sorted { $0.string < $1.string }
        isUnified = hierarchies.isUnified
    }

    deinit { Self.remove(Array(directories.values)) }

    /// A name that no other group of this machine has.
    static func newName() -> String {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(prefix)\(ProcessIdentity.current)-\(number)"
    }

    /// Filters the devices of a group of version 2. Throws `LinuxError`.
    package func filterDevices(_ filter: DeviceFilter) throws {
        for directory in directories.values { try filter.attach(to: directory) }
    }

    /// The resources that its processes have used so far.
    package func usage() -> ControlGroupUsage {
        var usage = ControlGroupUsage()
        if isUnified {
            guard let directory = directories.values.first else { return usage }
            usage.peakMemory = Self.number(in: directory.appending("memory.peak"))
            usage.userTime = Self.field("user_usec", in: directory.appending("cpu.stat"))
            usage.systemTime = Self.field("system_usec", in: directory.appending("cpu.stat"))
            usage.outOfMemoryKills = Self.field("oom_kill", in: directory.appending("memory.events")) ?? 0
            return usage
        }
        if let memory = directories["memory"] {
            usage.peakMemory = Self.number(in: memory.appending("memory.max_usage_in_bytes"))
            usage.outOfMemoryKills = Self.field("oom_kill", in: memory.appending("memory.oom_control")) ?? 0
        }
        if let processor = directories["cpuacct"] {
            usage.userTime = Self.number(in: processor.appending("cpuacct.usage_user")).map { $0 / 1000 }
            usage.systemTime = Self.number(in: processor.appending("cpuacct.usage_sys")).map { $0 / 1000 }
        }
        return usage
    }

    private static func number(in file: FilePath) -> UInt64? {
        guard let text = try? readText(file) else { return nil }
        return UInt64(text.prefix { $0.isNumber })
    }

    private static func field(_ name: String, in file: FilePath) -> UInt64? {
        guard let text = try? readText(file) else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }

    // MARK: Removal

    static func remove(_ directories: [FilePath]) {
        for directory in Set(directories) {
            // Its last process may still be on its way out.
            for attempt in 0..<100 {
                let outcome = unsafe directory.withPlatformString { unsafe rmdir($0) }
                guard outcome == -1, Errno.current == .resourceBusy else { break }
                usleep(attempt < 10 ? 100 : 5000)
            }
        }
    }

    /// Removes the groups of processes that were killed before they could.
    package static func removeStale(
        parent: String? = nil, in hierarchies: ControlGroupHierarchies = .probe()
    ) {
        var places = hierarchies.legacy.values.map { $0.directory(parent ?? $0.own) }
        if let unified = hierarchies.unified {
            places.append(unified.ownDirectory)
            if hierarchies.isUnified { places += [unified.mountPoint, unified.directory(parent ?? "")] }
        }
        for place in Set(places) {
            guard let directory = try? Directory(opening: place), let names = try? directory.names() else { continue }
            for name in names.map(\.text) where name.hasPrefix(prefix) {
                let parts = name.dropFirst(prefix.count).split(separator: "-")
                guard parts.count == 3, let owner = ProcessIdentity(parts[..<2].joined(separator: "-")),
                    !owner.isAlive
                else { continue }
                _ = try? directory.removeDirectory(PathBytes(name))
            }
        }
    }
}

/// Makes the directories of a group.
private struct ControlGroupMaker {
    let limits: ControlGroupLimits
    let parent: String?
    let hierarchies: ControlGroupHierarchies
    let name: String

    func make() throws -> [String: FilePath] {
        let controllers = limits.controllers
        if hierarchies.isUnified { return ["": try makeUnified(controllers)] }
        guard !hierarchies.legacy.isEmpty else {
            throw LinuxError(
                .other, "limits cannot be applied: no control groups are mounted here",
                hint: "Mount them on /sys/fs/cgroup, or leave the limits out.")
        }
        for controller in controllers where hierarchies.legacy[controller] == nil { throw missing(controller) }
        return try makeLegacy(controllers)
    }

    // MARK: Version 1

    private func makeLegacy(_ controllers: [String]) throws -> [String: FilePath] {
        var made: [String: FilePath] = [:]
        do {
            // The last two for what they count.
            for controller in Set(controllers + ["memory", "cpuacct"]).sorted() {
                guard let hierarchy = hierarchies.legacy[controller] else { continue }
                // Controllers may share a tree.
                let base = hierarchy.directory(parent ?? hierarchy.own)
                let directory = base.appending(name)
                if !made.values.contains(directory) {
                    do { try makeDirectories(directory, below: hierarchy.mountPoint) } catch {
                        guard controllers.contains(controller) else { continue }
                        throw error
                    }
                }
                made[controller] = directory
                if controllers.contains(controller) {
                    if controller == "cpuset" { try inheritCPUSet(directory, below: hierarchy.mountPoint) }
                    try apply(limits.settings(legacy: controller), in: directory)
                }
            }
            return made
        } catch {
            ControlGroup.remove(Array(made.values))
            throw error
        }
    }

    /// A new group of version 1 has no processors and no memory, so no process could join it.
    private func inheritCPUSet(_ directory: FilePath, below mountPoint: FilePath) throws {
        guard directory != mountPoint else { return }
        let upper = directory.removingLastComponent()
        for file in ["cpuset.cpus", "cpuset.mems"] {
            guard isBlank(try readText(directory.appending(file))) else { continue }
            if isBlank((try? readText(upper.appending(file))) ?? "") { try inheritCPUSet(upper, below: mountPoint) }
            try write(try readText(upper.appending(file)), to: directory.appending(file))
        }
    }

    private func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }

    // MARK: Version 2

    private func makeUnified(_ controllers: [String]) throws -> FilePath {
        guard let hierarchy = hierarchies.unified else { throw missing(controllers.first ?? "memory") }
        let available = ((try? readText(hierarchy.mountPoint.appending("cgroup.controllers"))) ?? "")
            .split(whereSeparator: \.isWhitespace).map(String.init)
        for controller in controllers where !available.contains(controller) { throw missing(controller) }
        let base = unifiedBase(hierarchy)
        if parent != nil { try makeDirectories(base, below: hierarchy.mountPoint) }
        let wanted = Set(controllers + ["memory", "cpu"].filter(available.contains)).sorted()
        try delegate(wanted, required: controllers, to: base, in: hierarchy)
        let directory = base.appending(name)
        try makeDirectories(directory, below: hierarchy.mountPoint)
        do { try apply(limits.unifiedSettings, in: directory) } catch {
            ControlGroup.remove([directory])
            throw error
        }
        return directory
    }

    /// The top where we may write, as root may; else the group that was delegated to this process.
    private func unifiedBase(_ hierarchy: ControlGroupHierarchies.Hierarchy) -> FilePath {
        if let parent { return hierarchy.directory(parent) }
        let isTopOurs =
            unsafe hierarchy.mountPoint.appending("cgroup.subtree_control")
            .withPlatformString { unsafe access($0, W_OK) } == 0
        if isTopOurs { return hierarchy.mountPoint }
        let own = hierarchy.ownDirectory
        return own.lastComponent?.string == Self.leaf ? own.removingLastComponent() : own
    }

    /// The child group for the processes, which a group with controllers for its children may not have itself.
    private static let leaf = "lamina-init"

    /// Gives controllers to the children of `base`, which its own parents must have given to it.
    private func delegate(
        _ controllers: [String], required: [String], to base: FilePath, in hierarchy: ControlGroupHierarchies.Hierarchy
    ) throws {
        var directory = hierarchy.mountPoint
        var rest = base.components.dropFirst(hierarchy.mountPoint.components.count)
        while true {
            let file = directory.appending("cgroup.subtree_control")
            let given = Set(((try? readText(file)) ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
            let missing = controllers.filter { !given.contains($0) }
            do {
                try enable(missing, in: directory)
            } catch {
                let needed = missing.filter(required.contains)
                if (try? enable(needed, in: directory)) == nil, let controller = needed.first {
                    throw LinuxError(
                        .permission,
                        "the \(Self.subject(controller)) cannot be limited: control group \(directory) does not give its "
                            + "children the \(controller) controller",
                        hint: "Run as root, or in a group that was delegated, as 'systemd-run --user --scope "
                            + "-p Delegate=yes' makes one.", cause: error)
                }
            }
            guard let next = rest.popFirst() else { return }
            directory = directory.appending(next)
        }
    }

    /// All at once: controllers that can count threads alone would be given to a group with processes, and turn it into
    /// one that no others can be given to.
    private func enable(_ controllers: [String], in directory: FilePath) throws {
        guard !controllers.isEmpty else { return }
        let file = directory.appending("cgroup.subtree_control")
        let text = controllers.map { "+\($0)" }.joined(separator: " ")
        do {
            try write(text, to: file)
        } catch let error as LinuxError where error.errno == .resourceBusy {
            try moveProcesses(of: directory)
            try write(text, to: file)
        }
    }

    /// Moves what runs in a group into a child of it: in a container, the top of the tree is a group like any other.
    private func moveProcesses(of directory: FilePath) throws {
        let leaf = directory.appending(Self.leaf)
        try makeDirectories(leaf, below: directory)
        for _ in 0..<10 {
            let members = try readText(directory.appending("cgroup.procs")).split(separator: "\n")
            if members.isEmpty { return }
            for member in members {
                do { try write(String(member), to: leaf.appending("cgroup.procs")) } catch let error as LinuxError
                    where error.errno == .noSuchProcess
                {
                    // It has ended.
                    continue
                }
            }
        }
    }

    // MARK: Files

    private func makeDirectories(_ directory: FilePath, below mountPoint: FilePath) throws {
        let outcome = unsafe directory.withPlatformString { unsafe mkdir($0, 0o755) }
        if outcome == 0 || Errno.current == .fileExists { return }
        let error = Errno.current
        if error == .noSuchFileOrDirectory, directory != mountPoint, !directory.removingLastComponent().isEmpty {
            try makeDirectories(directory.removingLastComponent(), below: mountPoint)
            try check("create", directory) { unsafe directory.withPlatformString { unsafe mkdir($0, 0o755) } }
            return
        }
        throw LinuxError(
            .permission, "limits cannot be applied: control group \(directory) cannot be made: \(error)",
            hint: error == .readOnlyFileSystem ? "The control groups of this container are read-only." : nil,
            cause: error)
    }

    private func apply(_ settings: [ControlGroupSetting], in directory: FilePath) throws {
        for setting in settings {
            guard let value = setting.value else { continue }
            do { try write(value, to: directory.appending(setting.file)) } catch let error as LinuxError {
                if setting.isOptional { continue }
                throw LinuxError(
                    error.code,
                    "\(setting.file) cannot be set to \(value): \(error.errno?.description ?? error.message)",
                    hint: error.errno == .noSuchFileOrDirectory
                        ? "This kernel does not account for it; leave the limit out." : nil, cause: error.cause)
            }
        }
    }

    private func write(_ text: String, to file: FilePath) throws {
        let descriptor = try OwnedDescriptor.open(file, .writeOnly)
        let bytes = Array(text.utf8)
        // One write: the kernel takes a value whole.
        try check("write", file) {
            unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor.number, $0.baseAddress, $0.count) }
        }
    }

    private static func subject(_ controller: String) -> String {
        switch controller {
        case "memory": "memory"
        case "cpu", "cpuset": "processor time"
        default: "number of processes"
        }
    }

    private func missing(_ controller: String) -> LinuxError {
        LinuxError(
            .other,
            "the \(Self.subject(controller)) cannot be limited: the kernel has no \(controller) controller here",
            hint: "See the cgroups line of 'lamina doctor'.")
    }
}
