import Contexts
package import Requests
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
        // A process with the capabilities of system administration needs none.
        case nil: !CapabilitySet.effective.isSuperset(of: .systemAdministration)
        }
    }
}

extension BuildRequest {
    /// Whether a command of this build runs as the root of a user namespace, as far as the Dockerfile tells.
    ///
    /// Commands from ONBUILD of a base image are not seen here.
    package var needsUserNamespace: Bool {
        isolation.needsUserNamespace && (isolation == .rootless || mayHaveCommands)
    }

    /// Whether the Dockerfile has a RUN, or cannot be read twice and so may have one.
    ///
    /// A Dockerfile that cannot be read or parsed has none; the build will say what is wrong.
    private var mayHaveCommands: Bool {
        if inputs.context != nil || inputs.definition != nil { return true }
        guard let path = try? LocalFiles.dockerfile(dockerfile, in: context), let bytes = try? OwnedDescriptor.open(path).readAll(limit: 64 << 20),
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
