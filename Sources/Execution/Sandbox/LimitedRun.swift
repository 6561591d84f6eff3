import Frontend
import GoCompat
import Linux
package import Requests
package import Sandbox
import SystemPackage

/// The control group of one command, where it is to have one. It goes away with this value.
package struct LimitedRun: ~Copyable {
    private let group: ControlGroup?
    private let members: [FilePath]
    private let limits: ControlGroupLimits
    private let hierarchies: ControlGroupHierarchies

    /// Makes the group. Nothing is made for a command without limits: what it uses, the kernel counts anyway.
    ///
    /// Throws `LinuxError` for a limit that cannot be applied.
    package init(_ request: SandboxRequest) throws {
        limits = request.groupLimits
        hierarchies = .current
        guard !limits.isEmpty || request.groupParent != nil else {
            group = nil
            members = []
            return
        }
        ControlGroup.removeStale(parent: request.groupParent, in: hierarchies)
        let made = try ControlGroup(limits, parent: request.groupParent, in: hierarchies)
        members = made.members
        group = consume made
    }

    /// Whether a control group counts what the command uses.
    package var isCounted: Bool { !members.isEmpty }

    package func join(_ spec: inout SandboxSpec) {
        let showsGroups = !members.isEmpty || spec.security == .insecure
        let controllers = hierarchies.isUnified || !showsGroups ? [] : hierarchies.legacyControllers
        spec.controlGroups = SandboxControlGroups(
            members: members, isUnified: hierarchies.isUnified, legacyControllers: controllers)
    }

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
