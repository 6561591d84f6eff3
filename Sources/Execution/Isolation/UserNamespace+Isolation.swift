package import Linux
import Requests
import Sandbox

extension Isolation? {
    /// Whether a command with this isolation, `nil` for the best there is, runs as the root of a user namespace.
    package var needsUserNamespace: Bool {
        switch self {
        case .rootless: true
        case .namespaces, .chroot: false
        // A process with the capabilities of system administration needs none.
        case nil: !CapabilitySet.effective.isSuperset(of: .systemAdministration)
        }
    }
}

extension UserNamespace {
    /// Moves this process to the user namespace that its user may have, where the kernel allows one: see ``enter()``.
    package static func enterIfPossible() throws {
        guard obstacle() == nil else { return }
        try available().enter()
    }
}
