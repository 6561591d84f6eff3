package import Linux
package import SystemPackage

/// The control groups of the process.
package struct SandboxControlGroups: Hashable, Sendable {
    /// The `cgroup.procs` files of the groups it joins: one for version 2, one for each controller for version 1.
    package var members: [FilePath]
    /// The directory of a group of version 2 that the process is made in.
    package var birthplace: FilePath?
    /// Whether one of the groups has a ``DeviceFilter``, so that device nodes need not be dead.
    package var filtersDevices = false
    /// Whether there is nothing but version 2, so that the process gets its group mounted read-only on
    /// `/sys/fs/cgroup`.
    package let isUnified: Bool
    /// The controllers of version 1 to mount below `/sys/fs/cgroup`.
    package let legacyControllers: [String]

    package init(members: [FilePath] = [], isUnified: Bool = false, legacyControllers: [String] = []) {
        self.members = members
        self.isUnified = isUnified
        self.legacyControllers = legacyControllers
    }

    /// Puts the process into a group that filters its devices.
    package mutating func join(_ group: borrowing DeviceControlGroup) {
        if group.isUnified { birthplace = group.directory } else { members.append(group.member) }
        filtersDevices = true
    }

    /// Why a process cannot be put into the groups, in words; `nil` if it can: found by making one, which ends at once.
    package func obstacle() -> String? {
        do {
            let group = try birthplace.map { SharedDescriptor(try .open($0, options: .directory)) }
            return withExtendedLifetime(group) {
                StepEncoding(members.map { SandboxStep(.write($0, "0")) })
                    .obstacle(namespaces: [], controlGroup: group?.number ?? -1)
            }
        } catch {
            return "\(error)"
        }
    }
}
