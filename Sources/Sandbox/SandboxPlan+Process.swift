import Diagnostics
import Linux
import SystemPackage

// MARK: - A chroot

extension SandboxPlan {
    mutating func planChroot(_ root: FilePath) throws {
        add(.newSession)
        add(.setUmask(0o022))
        for file in spec.controlGroups.members { add(.write(file, "0")) }
        add(.changeRoot(root))
        // A working directory outside of the root would lead out of it.
        add(.changeDirectory("/"))
        add(.makeWorkingDirectory(spec.workingDirectory, owner: spec.user.uid, group: spec.user.gid))
        try planPrivileges()
    }

    /// The capabilities of the process. In a chroot it has none that lead out of it: those for a second chroot, for
    /// device nodes, and for tracing processes outside.
    private var capabilities: CapabilitySet {
        guard spec.confinement == .chroot else { return spec.capabilities }
        return spec.capabilities.subtracting([.changeRoot, .makeNodes, .trace, .systemAdministration])
    }

    /// The rules that keep a command in a chroot from files and processes outside, where the kernel has Landlock.
    private var landlock: LandlockRules? {
        spec.confinement == .chroot ? LandlockRules(version: spec.hostCapabilities.landlockVersion) : nil
    }

    /// A filter and Landlock take CAP_SYS_ADMIN, or that programs gain no privileges. In a chroot, the wall goes before
    /// set-user-ID programs.
    private var forbidsNewPrivileges: Bool {
        spec.forbidsNewPrivileges || (spec.confinement == .chroot && !spec.hostCapabilities.isAdministrator)
    }

    private static func validateChroot(_ spec: SandboxSpec) throws {
        guard case .directory = spec.root, spec.mounts.isEmpty, spec.resolvConf == nil, spec.hosts == nil else {
            throw SandboxError(.invalid, "nothing can be mounted in a changed root")
        }
        guard spec.network == .host else {
            throw SandboxError(
                .invalid, "a command in a changed root has the network of the builder",
                hint: "Use an isolation with namespaces, or run the whole build without a network.")
        }
        let asked: [(Bool, String)] = [
            (spec.security == .insecure, "all capabilities"), (!spec.devices.isEmpty, "devices of the host"),
            (spec.isRootReadOnly, "a root that is read-only"), (spec.streams == .terminal, "a terminal"),
            (spec.sharedMemorySize != nil, "a /dev/shm of a certain size"),
            (spec.emulators != nil, "emulators of its own"),
        ]
        if let (_, thing) = asked.first(where: \.0) {
            throw SandboxError(
                .invalid, "a command in a changed root cannot have \(thing)",
                hint: "Use an isolation with namespaces, see 'lamina doctor'.")
        }
    }
}

// MARK: - The process itself

extension SandboxPlan {
    mutating func planPrivileges() throws {
        // Owned by the user, who may then open them again as /dev/stdout.
        if spec.streams == .terminal {
            add(.openTerminal(owner: spec.user.uid, isControlling: !spec.hasInit, size: spec.terminalSize))
        } else {
            add(.placeStandardStreams(owner: spec.user.uid))
        }
        add(.changeDirectory(spec.workingDirectory))
        for limit in spec.limits { add(.limit(limit)) }
        // A kernel without keyrings has nothing to keep apart.
        add(.newKeyring, .mayFail)
        // After all that takes the builder's own privileges, and before the privileges of the command are set.
        if spec.emulators != nil { add(.joinUserNamespace) }
        let (user, filter) = (spec.user, try filter())
        // Each of these needs a capability that a later one takes away.
        if isHardened { add(.limitBoundingSet(capabilities)) }
        // A user namespace with one number does not allow setgroups.
        if !spec.hostCapabilities.identities.isSingle { add(.setGroups(user.groups)) }
        // The filter and Landlock need one of them.
        if filter != nil || landlock != nil || !isHardened { add(.keepCapabilities) }
        add(.setIdentity(uid: user.uid, gid: user.gid))
        // A change of user clears the signal, so not earlier. What joins a sandbox ends with its first process.
        if joined == nil { add(.dieWithParent) }
        // The builder's descriptors, and what is held in slots.
        if spec.hasInit { add(.placeInit) }
        add(.closeDescriptors(from: spec.hasInit ? 5 : 3))
        if forbidsNewPrivileges { add(.forbidNewPrivileges) }
        if let landlock { add(.confine(to: "/", landlock)) }
        // From here on only what the profile allows: it must allow the calls of the two steps that follow.
        if let filter { add(.installFilter(filter)) }
        add(.setCapabilities(finalCapabilities, areInherited: !isHardened))
        add(.execute(spec.arguments.first ?? ""))
    }

    private func filter() throws -> SeccompFilter? {
        guard isHardened, let profile = spec.seccomp else { return nil }
        // Landlock forbids it to trace processes outside, and lets it trace its own.
        let isTracingAllowed = spec.confinement != .chroot || landlock != nil
        return try SeccompFilter.compiled(isTracingAllowed ? profile : profile.denyingTracing, for: capabilities)
    }

    /// The capabilities of the command: none for a user other than root, unless everything is allowed.
    private var finalCapabilities: CapabilitySet {
        guard isHardened else { return .all }
        return spec.user.uid == 0 ? capabilities : []
    }

    static func validate(_ spec: SandboxSpec) throws {
        guard let command = spec.arguments.first, !command.isEmpty else {
            throw SandboxError(.invalid, "there is no command to run")
        }
        for text in spec.arguments + spec.environment + [spec.hostname] where text.utf8.contains(0) {
            throw SandboxError(.invalid, "an argument or variable of '\(command)' contains a NUL character")
        }
        guard spec.workingDirectory.isAbsolute else {
            throw SandboxError(.invalid, "the working directory '\(spec.workingDirectory)' is not an absolute path")
        }
        for mount in spec.mounts where !mount.target.isAbsolute || mount.target.lexicallyNormalized() == "/" {
            throw SandboxError(.invalid, "invalid mount target \"\(mount.target)\"")
        }
        guard spec.mounts.count <= 400 else { throw SandboxError(.invalid, "there are more than 400 mounts") }
        if case .layers(let layers) = spec.root, layers.isEmpty {
            throw SandboxError(.invalid, "the root file system has no layers")
        }
        if spec.confinement == .chroot { try validateChroot(spec) }
    }
}
