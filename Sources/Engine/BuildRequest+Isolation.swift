import Contexts
import DockerfileSyntax
import Execution
import Linux
package import Requests
import Sandbox
import SystemPackage

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
        guard let path = try? LocalFiles.dockerfile(dockerfile, in: context),
            let bytes = try? OwnedDescriptor.open(path).readAll(limit: 64 << 20),
            let dockerfile = try? Dockerfile(parsing: bytes)
        else { return false }
        return dockerfile.stages.contains { stage in
            stage.instructions.contains { if case .run = $0.kind { true } else { false } }
        }
    }
}
