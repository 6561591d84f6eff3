package import Graph
package import Sandbox

extension RunMount {
    /// Whether the command may hold a secret in its memory.
    package var isSecret: Bool {
        switch self {
        case .secret, .ssh: true
        case .bind, .cache, .tmpfs: false
        }
    }
}

extension SandboxSpec {
    /// Lets no process leave an image of its memory, unless the user has set that limit.
    ///
    /// The builder's own hard limit stays where it is lower: to raise it takes CAP_SYS_RESOURCE.
    ///
    /// One byte and not none: the kernel takes it as the word for "not even to a program", such as one that collects
    /// crashes. See `core(5)` and `do_coredump` of the kernel.
    package mutating func forbidCores() {
        guard let core = ResourceLimit.numbers["core"], !limits.contains(where: { $0.resource == core }) else { return }
        limits.append(ResourceLimit(resource: core, soft: 1, hard: 1, isCeiling: true))
    }
}
