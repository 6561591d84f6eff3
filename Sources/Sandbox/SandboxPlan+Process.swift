import Diagnostics
import Linux
import SystemPackage

// MARK: - Chroot

extension SandboxPlan {
    mutating func planChroot(_ root: FilePath) throws {
        add(.newSession)
        add(.setUmask(0o022))
        for file in spec.controlGroups.members { add(.write(file, "0")) }
        add(.changeRoot(root))
        // Whoever keeps a directory outside open is outside.
        add(.changeDirectory("/"))
        add(.makeWorkingDirectory(spec.workingDirectory, owner: spec.user.uid, group: spec.user.gid))
        try planPrivileges()
    }

    /// The capabilities of the process. In a chroot it has none that lead out of it: another change of the root,
    /// devices of its own, and hold on processes that are outside.
    private var capabilities: CapabilitySet {
        guard spec.confinement == .chroot else { return spec.capabilities }
        return spec.capabilities.subtracting([.changeRoot, .makeNodes, .trace, .systemAdministration])
    }

    /// Without CAP_SYS_ADMIN a filter takes that programs gain no privileges, which breaks su and sudo. Where there is
    /// nothing but a chroot, a container around the builder mostly has the usual filter itself.
    private var filterTolerance: SandboxStep.Tolerance {
        spec.confinement == .chroot && spec.seccomp == .standard ? .mayFail : .mustSucceed
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
            (spec.sharedMemorySize != 64 << 20, "a /dev/shm of a certain size"),
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
        let (user, filter) = (spec.user, try filter())
        // Each of these needs a capability that a later one takes away.
        if isHardened { add(.limitBoundingSet(capabilities)) }
        // Who has one number only has given up the use of groups for it.
        if !spec.abilities.identities.isSingle { add(.setGroups(user.groups)) }
        // The filter needs one of them.
        if filter != nil || !isHardened { add(.keepCapabilities) }
        add(.setIdentity(uid: user.uid, gid: user.gid))
        // A change of user clears the signal, so not earlier.
        add(.dieWithParent)
        // The builder's descriptors, and what is held in slots.
        if spec.hasInit { add(.placeInit) }
        add(.closeDescriptors(from: spec.hasInit ? 5 : 3))
        if spec.forbidsNewPrivileges { add(.forbidNewPrivileges) }
        // From here on only what the profile allows: it must allow the calls of the two steps that follow.
        if let filter { add(.installFilter(filter), filterTolerance) }
        add(.setCapabilities(finalCapabilities, areInherited: !isHardened))
        add(.execute(spec.arguments.first ?? ""))
    }

    private func filter() throws -> SeccompFilter? {
        guard isHardened, let profile = spec.seccomp else { return nil }
        return try SeccompFilter.compiled(profile, for: capabilities)
    }

    /// A user other than root has none, as after any change of user, unless everything is allowed.
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
