import Diagnostics
import Graph
import Linux
import OCI
import Requests
import Sandbox
import Store
import SystemPackage
import Trees

/// The mounts of a command, and all that must stay until it has ended.
struct PreparedMounts: Sendable {
    var mounts: [SandboxMount] = []
    /// Substitutes for mounts where nothing can be mounted, as far as they take more than the mount itself says.
    var substitutes: [ChrootSubstitute] = []
    /// Variables that hold secrets.
    var variables: [(name: String, value: String)] = []
    /// Directories in use and locks on them.
    var held: [any AnyObject & Sendable] = []
}
