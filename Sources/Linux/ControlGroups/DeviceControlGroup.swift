import Diagnostics
import Glibc
package import SystemPackage

/// A control group that has nothing but a filter of devices; removed with this value.
package struct DeviceControlGroup: ~Copyable, Sendable {
    package let directory: FilePath
    /// Whether the group is one of version 2, which a process can be made in.
    package let isUnified: Bool

    /// The file to write a process number to, for a process to join the group.
    package var member: FilePath { directory.appending("cgroup.procs") }

    /// Makes the group below that of this process, so that limits of that hold: with version 2 if it can be, else with
    /// version 1. Throws `LinuxError`.
    package init(_ filter: DeviceFilter, in hierarchies: ControlGroupHierarchies = .current) throws {
        if let unified = hierarchies.unified, let made = try? Self.make(below: unified, { try filter.attach(to: $0) }) {
            (directory, isUnified) = (made, true)
            return
        }
        guard let legacy = hierarchies.legacy["devices"] else {
            throw LinuxError(.other, "no control group can filter devices here")
        }
        directory = try Self.make(below: legacy) { try filter.apply(toLegacy: $0) }
        isUnified = false
    }

    deinit { ControlGroup.remove([directory]) }

    private static func make(
        below hierarchy: ControlGroupHierarchies.Hierarchy, _ apply: (FilePath) throws -> Void
    ) throws -> FilePath {
        let directory = hierarchy.ownDirectory.appending(ControlGroup.newName())
        try check("create", directory) { unsafe directory.withPlatformString { unsafe mkdir($0, 0o755) } }
        do {
            try apply(directory)
            // A group below one of threads takes no processes.
            if let type = try? readText(directory.appending("cgroup.type")), !type.hasPrefix("domain\n") {
                throw LinuxError(.other, "control group \(directory) takes no processes")
            }
        } catch {
            ControlGroup.remove([directory])
            throw error
        }
        return directory
    }
}
