import Frontend
import GoCompat
import Linux
package import Requests
package import Sandbox
import SystemPackage

/// The control groups of one command: one with its limits, where it has any, and a filter of its devices. They go away
/// with this value.
package struct LimitedRun: ~Copyable {
    private let group: ControlGroup?
    /// `nil` where the group with the limits has the filter, and where there is no filter.
    private let devices: DeviceControlGroup?
    private let limits: ControlGroupLimits

    /// Makes the groups and puts the command into them. For a command without limits nothing is counted: what it uses,
    /// the kernel counts anyway.
    ///
    /// Throws `LinuxError` for a limit that cannot be applied.
    package init(_ request: SandboxRequest, joining spec: inout SandboxSpec, _ isolation: StepIsolation) throws {
        let hierarchies = ControlGroupHierarchies.current
        limits = request.groupLimits
        var limited: ControlGroup?
        if !limits.isEmpty || request.groupParent != nil {
            ControlGroup.removeStale(parent: request.groupParent, in: hierarchies)
            limited = try ControlGroup(limits, parent: request.groupParent, in: hierarchies)
        }
        let members = limited?.members ?? []
        let showsGroups = !members.isEmpty || spec.security == .insecure
        let controllers = hierarchies.isUnified || !showsGroups ? [] : hierarchies.legacyControllers
        spec.controlGroups = SandboxControlGroups(
            members: members, isUnified: hierarchies.isUnified, legacyControllers: controllers)
        devices = try Self.filterDevices(of: &spec, limited, isolation)
        group = limited
    }

    /// Whether a control group counts what the command uses.
    package var isCounted: Bool { group != nil }

    // MARK: Devices

    /// Filters the devices of a command of the machine's root. Where that cannot be done, and in user namespaces, where
    /// the kernel opens no device node that was made inside, the mounts of the sandbox forbid all of them.
    private static func filterDevices(
        of spec: inout SandboxSpec, _ limited: borrowing ControlGroup?, _ isolation: StepIsolation
    ) throws -> DeviceControlGroup? {
        guard try isolation.mode() == .namespaces, spec.security == .sandbox, !spec.hostCapabilities.isConfined else {
            return nil
        }
        let filter = DeviceFilter(adding: spec.devices.compactMap { DeviceFilter.Rule(deviceAt: $0.source) })
        switch limited {
        case .some(let limited) where limited.isUnified:
            spec.controlGroups.filtersDevices = (try? limited.filterDevices(filter)) != nil
            return nil
        default: break
        }
        guard canFilter, let group = try? DeviceControlGroup(filter) else { return nil }
        spec.controlGroups.join(group)
        return group
    }

    /// Whether commands can be put into a group with a filter, found by doing so, once.
    private static let canFilter: Bool = {
        ControlGroup.removeStale()
        guard let group = try? DeviceControlGroup(DeviceFilter()) else { return false }
        var groups = SandboxControlGroups()
        groups.join(group)
        return groups.obstacle() == nil
    }()

    /// Adds what only the group knows.
    package func complete(_ usage: inout StepUsage) {
        switch group {
        case .some(let group): usage.take(group.usage())
        case .none: break
        }
    }

    /// Why a command failed, as far as its limits had to do with it; empty, or ending in `: `.
    package func explanation(of usage: StepUsage) -> String {
        guard usage.outOfMemoryKills > 0 else { return "" }
        guard let memory = limits.memory else { return "out of memory: " }
        return "out of memory (limit \(ByteSize.text(memory))): "
    }
}
