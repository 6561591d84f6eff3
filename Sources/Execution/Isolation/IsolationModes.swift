import Diagnostics
import Linux
package import Requests
import Sandbox

/// Which modes this process can use, and why not the others: found by trying.
package struct IsolationModes: Sendable {
    /// Why a mode cannot be used, in words that end a sentence; a mode that is not here can be.
    package let obstacles: [Isolation: String]

    package init(obstacles: [Isolation: String]) { self.obstacles = obstacles }

    /// Tries what each mode begins with; takes a fraction of a millisecond.
    package static func probe() -> IsolationModes {
        var obstacles: [Isolation: String] = [:]
        let missing = CapabilitySet.fileOwnership.union(.changeRoot).subtracting(.effective)
        if !missing.isEmpty { obstacles[.chroot] = "this process does not have \(missing.list)" }
        if UserNamespace.isEntered {
            obstacles[.namespaces] = "this process is root of a user namespace only"
            return IsolationModes(obstacles: obstacles)
        }
        if !CapabilitySet.effective.isSuperset(of: .systemAdministration) {
            obstacles[.namespaces] = "this process does not have CAP_SYS_ADMIN"
        } else if let errno = NamespaceSet([.mount, .process, .interprocess, .hostname]).obstacle() {
            obstacles[.namespaces] = "the kernel makes no namespaces: \(errno)"
        }
        obstacles[.rootless] = UserNamespace.obstacle().map { "user namespaces cannot be used: \($0)" }
        return IsolationModes(obstacles: obstacles)
    }

    /// The best mode that can be used; `nil` when this process cannot run commands.
    package var best: Isolation? { Isolation.allCases.first { obstacles[$0] == nil } }

    /// The mode that was asked for, or the best for `nil`.
    ///
    /// Throws ``ExecutionError`` `.isolation` when it cannot be used.
    package func choose(_ asked: Isolation?) throws -> Isolation {
        if let asked {
            guard let obstacle = obstacles[asked] else { return asked }
            throw ExecutionError(
                .isolation, "RUN cannot use --isolation=\(asked.rawValue): \(obstacle)",
                hint: "See 'lamina doctor', or leave the choice to --isolation=auto.")
        }
        if let best { return best }
        let reasons = Isolation.allCases.compactMap { mode in obstacles[mode].map { "\(mode.rawValue): \($0)" } }
        throw ExecutionError(
            .isolation, "RUN cannot be isolated from this machine (\(reasons.joined(separator: "; ")))",
            hint: "Run the build as root, or see 'lamina doctor'.")
    }
}
