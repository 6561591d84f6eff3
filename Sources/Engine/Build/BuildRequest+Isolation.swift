import DockerfileSyntax
package import Linux
import Sandbox
import SystemPackage

extension Isolation? {
    /// Whether a command with this isolation, `nil` for the best there is, runs as the root of a user namespace.
    package var needsUserNamespace: Bool {
        switch self {
        case .rootless: true
        case .namespaces, .chroot: false
        // Who may do everything without needs none.
        case nil: !CapabilitySet.effective.isSuperset(of: .systemAdministration)
        }
    }
}

extension BuildRequest {
    /// Whether a command of this build will, as far as the Dockerfile alone tells, run as the root of a user namespace
    /// that this process has not entered yet.
    ///
    /// A command that a base image brings with ONBUILD is not seen here.
    package var needsUserNamespace: Bool {
        isolation.needsUserNamespace && (isolation == .rootless || mayHaveCommands)
    }

    /// What comes from elsewhere cannot be read twice, so it may. What cannot be read or parsed has none; the build will
    /// say what is wrong.
    private var mayHaveCommands: Bool {
        if inputs.context != nil || inputs.definition != nil { return true }
        guard let path = try? dockerfilePath(), let bytes = try? OwnedDescriptor.open(path).readAll(limit: 64 << 20),
            let dockerfile = try? Dockerfile(parsing: bytes)
        else { return false }
        return dockerfile.stages.contains { stage in
            stage.instructions.contains { if case .run = $0.kind { true } else { false } }
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
