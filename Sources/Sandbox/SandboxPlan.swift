import Diagnostics
package import Linux
import SystemPackage

/// A ``SandboxSpec`` as the flat list of what the child does, in order. Making one touches nothing.
package struct SandboxPlan: Sendable {
    package let spec: SandboxSpec
    package private(set) var steps: [SandboxStep] = []
    /// The namespaces the child is made with.
    package let namespaces: NamespaceSet
    private var slotCount = 0

    /// Throws `SandboxError` `.invalid` for what no system call could take.
    package init(_ spec: SandboxSpec) throws {
        try Self.validate(spec)
        var spec = spec
        // A supervisor does what an init would.
        if spec.confinement == .chroot { spec.hasInit = false }
        self.spec = spec
        if spec.confinement == .chroot, case .directory(let root) = spec.root {
            namespaces = []
            try planChroot(root)
            return
        }
        let namespaces: NamespaceSet = [.mount, .process, .interprocess, .hostname]
        self.namespaces = spec.network == .none ? namespaces.union(.network) : namespaces

        planSession()
        let root = planScratch()
        let held = planSources()
        // Everything below happens inside the new root, so whatever links an image holds, no path leads out of it.
        add(.pivotRoot(root))
        planInside(held)
        // After the mounts, whose targets may have had to be made.
        if spec.isRootReadOnly { add(.restrictMount("/", .readOnly)) }
        // The system call filter of a container may forbid it, and nothing but the name is lost.
        add(.setHostname(spec.hostname), spec.abilities.isConfined ? .mayFail : .mustSucceed)
        try planPrivileges()
    }

    private mutating func add(_ operation: SandboxStep.Operation, _ tolerance: SandboxStep.Tolerance = .mustSucceed) {
        steps.append(SandboxStep(operation, tolerance))
    }

    private mutating func newSlot() -> Int {
        slotCount += 1
        return slotCount - 1
    }

    private var isHardened: Bool { spec.security == .sandbox }

    /// What a device node made inside could be used on. Without a device controller this is what keeps the disk of the
    /// host out of reach of `mknod`.
    private var noDevices: MountFlags { isHardened ? .noDevices : [] }
}

// MARK: - Before the new root

extension SandboxPlan {
    private mutating func planSession() {
        add(.newSession)
        add(.setUmask(0o022))
        for file in spec.controlGroups.members { add(.write(file, "0")) }
        // After joining: the namespace shows the group the process is in when it is made as the top of all. With version 1
        // too, or the names of the builder's own groups would be seen. A kernel without control groups has no such thing.
        add(.newControlGroupNamespace, .mayFail)
        switch spec.network {
        case .host: break
        case .none: add(.bringLoopbackUp)
        case .namespace(let path): add(.joinNetwork(path))
        }
        // Before the first mount: from here on no mount is seen outside.
        add(.mount(source: nil, target: "/", type: nil, flags: [.recursive, .isPrivate], data: nil))
    }

    /// A file system in memory that only the child sees holds all mount points needed on the way.
    private mutating func planScratch() -> FilePath {
        add(
            .mount(
                source: "tmpfs", target: spec.scratch, type: "tmpfs", flags: [.noSetuid, .noDevices],
                data: "mode=700"))
        let root = spec.scratch.appending("root")
        planTree(spec.root, on: root, isVolatile: spec.isVolatile)
        return root
    }

    /// Mounts a tree on a new directory.
    private mutating func planTree(_ tree: SandboxTree, on target: FilePath, isVolatile: Bool) {
        add(.makeDirectory(target, permissions: 0o700))
        switch tree {
        case .overlay(let lowers, let upper, _) where lowers.isEmpty: planBind(upper, on: target)
        case .overlay(let lowers, let upper, let work):
            planOverlay(
                OverlayOptions(
                    lowers: lowers, upper: upper, work: work, isVolatile: isVolatile,
                    usesUserAttributes: usesUserAttributes), on: target)
        case .layers(let lowers) where lowers.count == 1: planBind(lowers[0], on: target)
        case .layers(let lowers):
            planOverlay(OverlayOptions(lowers: lowers, usesUserAttributes: usesUserAttributes), on: target)
        case .directory(let path): planBind(path, on: target)
        }
    }

    private var usesUserAttributes: Bool { spec.abilities.overlay != .trusted }

    private mutating func planBind(_ path: FilePath, on target: FilePath) {
        add(.mount(source: path, target: target, type: nil, flags: .bind, data: nil))
        if isHardened { add(.restrictMount(target, .noDevices)) }
    }

    private mutating func planOverlay(_ options: OverlayOptions, on target: FilePath) {
        add(.changeDirectory(options.directory))
        if let data = options.data {
            add(.mount(source: "overlay", target: target, type: "overlay", flags: noDevices, data: data))
            return
        }
        // More than fits into one page: the newer interface (of kernel 6.5) takes the layers one by one.
        let slot = newSlot()
        add(.openFileSystem(slot: slot, type: "overlay"))
        for lower in options.lowers { add(.setOption(slot: slot, key: "lowerdir+", value: lower)) }
        for option in options.others { add(.setOption(slot: slot, key: option.key, value: option.value)) }
        add(.makeMount(slot: slot))
        add(.attach(slot: slot, target: target))
        if isHardened { add(.restrictMount(target, .noDevices)) }
    }
}

extension SandboxPlan {
    /// The steps that make a user root in a user namespace where nobody else exists. See `user_namespaces(7)`.
    static func becomeRoot(_ uid: UInt32, _ gid: UInt32) -> [SandboxStep] {
        [
            SandboxStep(.write("/proc/self/uid_map", "0 \(uid) 1")),
            // Whoever could drop a group could get past a file that refuses that group.
            SandboxStep(.write("/proc/self/setgroups", "deny")),
            SandboxStep(.write("/proc/self/gid_map", "0 \(gid) 1")),
        ]
    }

    /// The steps that only find out whether an overlay can be mounted.
    static func overlayProbe(_ options: OverlayOptions, on target: FilePath) -> [SandboxStep] {
        [
            SandboxStep(.mount(source: nil, target: "/", type: nil, flags: [.recursive, .isPrivate], data: nil)),
            SandboxStep(.changeDirectory(options.directory)),
            SandboxStep(
                .mount(source: "overlay", target: target, type: "overlay", flags: .noDevices, data: options.data)),
        ]
    }
}

// MARK: - What the host gives

extension SandboxPlan {
    /// What was taken from the host, to be mounted inside, in order.
    private struct Held {
        var devices: [(slot: Int, target: FilePath)] = []
        /// What goes to `/proc` and `/sys`.
        var processes: Int?
        var system: Int?
        var files: [(slot: Int, target: FilePath)] = []
        /// `nil` for a mount that takes nothing from the host.
        var mounts: [(slot: Int?, mount: SandboxMount)] = []
    }

    private static let deviceNames = ["null", "zero", "full", "random", "urandom", "tty"]

    private mutating func planSources() -> Held {
        var held = Held()
        for name in Self.deviceNames {
            let path = FilePath("/dev").appending(name)
            held.devices.append((take(path), path))
        }
        if !isHardened {
            // The host may have them or not, and whoever may do everything could make them.
            for name in SandboxDevice.insecureNames {
                let path = FilePath("/dev").pushing(FilePath(name))
                if SandboxDevice.isDevice(path) { held.devices.append((take(path), path)) }
            }
        }
        for device in spec.devices { held.devices.append((take(device.source), device.target)) }
        if spec.abilities.isConfined {
            // The kernel mounts these two only where they can be seen already, which they cannot in the new root.
            held.processes = spec.abilities.mountsProcesses ? make("proc") : takeTree("/proc")
            held.system = mountsSystem ? make("sysfs") : takeTree("/sys")
        }
        if let path = spec.resolvConf { held.files.append((take(path), "/etc/resolv.conf")) }
        if let path = spec.hosts { held.files.append((take(path), "/etc/hosts")) }
        // Parents first, so that no mount hides another.
        let sorted = spec.mounts.enumerated().sorted { lhs, rhs in
            let (left, right) = (PathBytes(lhs.element.target).components, PathBytes(rhs.element.target).components)
            return left == right ? lhs.offset < rhs.offset : left.lexicographicallyPrecedes(right)
        }
        for (_, mount) in sorted { held.mounts.append((takeSource(of: mount), mount)) }
        return held
    }

    private mutating func take(_ path: FilePath, in root: FilePath? = nil) -> Int {
        let slot = newSlot()
        add(.openTree(slot: slot, root: root, path: path))
        return slot
    }

    private mutating func make(_ type: String) -> Int {
        let slot = newSlot()
        add(.openFileSystem(slot: slot, type: type))
        // Its name in the list of mounts.
        add(.setOption(slot: slot, key: "source", value: PathBytes(type)))
        add(.makeMount(slot: slot))
        return slot
    }

    /// Takes a directory with all that is mounted below it.
    private mutating func takeTree(_ path: FilePath) -> Int {
        let slot = newSlot()
        add(.openTrees(slot: slot, path: path))
        return slot
    }

    /// A namespace made for the sandbox is owned by whoever makes it; that of somebody else shows its devices in /sys.
    private var mountsSystem: Bool {
        spec.network == .host ? spec.abilities.mountsSystem : spec.abilities.mountsSystemInOwnNetwork
    }

    private mutating func takeSource(of mount: SandboxMount) -> Int? {
        switch mount.source {
        case .temporary: return nil
        case .bind(let path): return take(path)
        case .tree(.directory(let root), let path): return take(path, in: root)
        case .tree(let tree, let path):
            let directory = spec.scratch.appending("tree\(slotCount)")
            planTree(tree, on: directory, isVolatile: true)
            return take(path, in: directory)
        case .file(let content, let permissions, let owner, let group):
            let file = spec.scratch.appending("file\(slotCount)")
            add(.makeFile(file, content: content, permissions: permissions, owner: owner, group: group))
            return take(file)
        }
    }
}

// MARK: - Inside the new root

extension SandboxPlan {
    private mutating func planInside(_ held: Held) {
        // Before the mounts: it belongs to the root file system, even where a mount hides it.
        let (user, directory) = (spec.user, spec.workingDirectory)
        add(.makeWorkingDirectory(directory, owner: user.uid, group: user.gid))
        planKernelMounts(held)
        for (slot, target) in held.files {
            planAttach(slot, target, [.readOnly, .noSetuid, .noDevices, .noExecute])
        }
        for (slot, mount) in held.mounts { planMount(mount, slot) }
        if !held.mounts.isEmpty {
            // A mount may have hidden it. If it cannot be made there, entering it says so.
            add(.makeWorkingDirectory(directory, owner: user.uid, group: user.gid), .mayFail)
        }
        guard isHardened else { return }
        // After all mounts: none may cover them again.
        for path in spec.maskedPaths { add(.mask(path), .mayBeMissing) }
        for path in spec.readOnlyPaths { add(.makeReadOnly(path), .mayBeMissing) }
    }

    private mutating func planKernelMounts(_ held: Held) {
        let closed: MountFlags = [.noSetuid, .noDevices, .noExecute]
        let kernel: MountFlags = isHardened ? closed.union(.readOnly) : closed
        planKernelMount("proc", held.processes, on: "/proc", closed)
        planFileSystem(
            "tmpfs", on: "/dev", [.noSetuid, .strictAccessTime, noDevices], data: "mode=755,size=65536k")
        // The host's own nodes, bound one by one, since a node made on a nodev mount is of no use. Read-only keeps their
        // modes and owners from being changed for the whole host; what is written to a device is no change of its node.
        for (slot, target) in held.devices {
            add(.makeMountPoint(target, .file))
            add(.attach(slot: slot, target: target))
            if isHardened { add(.restrictMount(target, [.readOnly, .noSetuid, .noExecute])) }
        }
        add(.symlink("/dev/ptmx", to: "pts/ptmx"))
        add(.symlink("/dev/fd", to: "/proc/self/fd"))
        for (number, name) in ["stdin", "stdout", "stderr"].enumerated() {
            add(.symlink(FilePath("/dev").appending(name), to: FilePath("/proc/self/fd/\(number)")))
        }
        // The group of terminals, where there is such a number.
        let group = spec.abilities.identities.groups.contains(5) ? ",gid=5" : ""
        planFileSystem(
            "devpts", on: "/dev/pts", [.noSetuid, .noExecute], data: "newinstance,ptmxmode=0666,mode=0620\(group)")
        planFileSystem("tmpfs", on: "/dev/shm", closed, data: "mode=1777,size=\(spec.sharedMemorySize)")
        planFileSystem("mqueue", on: "/dev/mqueue", closed)
        planKernelMount("sysfs", held.system, on: "/sys", kernel)
        // The builder's own /sys comes with what is mounted in it.
        if spec.abilities.isConfined, !mountsSystem { add(.mask("/sys/fs/cgroup"), .mayBeMissing) }
        planControlGroupMounts(kernel)
    }

    /// What a command may read of its own limits: in its namespace, the top is its own group.
    private mutating func planControlGroupMounts(_ flags: MountFlags) {
        let top: FilePath = "/sys/fs/cgroup"
        func mount(_ type: String, on target: FilePath, _ data: String?) {
            add(
                .mount(
                    source: FilePath(type == "tmpfs" ? "tmpfs" : "cgroup"), target: target, type: type, flags: flags,
                    data: data.map { PathBytes($0) }), .mayFail)
        }
        if spec.controlGroups.isUnified { return mount("cgroup2", on: top, nil) }
        let controllers = spec.controlGroups.legacyControllers
        guard !controllers.isEmpty else { return }
        add(
            .mount(
                source: "tmpfs", target: top, type: "tmpfs", flags: flags.subtracting(.readOnly),
                data: "mode=755,size=64k"),
            .mayFail)
        for controller in controllers {
            let target = top.appending(controller)
            add(.makeDirectory(target, permissions: 0o755), .mayFail)
            mount("cgroup", on: target, controller)
        }
        if flags.contains(.readOnly) { add(.restrictMount(top, .readOnly), .mayFail) }
    }

    private mutating func planFileSystem(
        _ type: String, on target: FilePath, _ flags: MountFlags, data: String? = nil
    ) {
        add(.makeMountPoint(target, .directory))
        add(
            .mount(
                source: FilePath(type), target: target, type: type, flags: flags, data: data.map { PathBytes($0) }))
    }

    /// Mounts what is in the slot, or a new file system for `nil`.
    private mutating func planKernelMount(_ type: String, _ slot: Int?, on target: FilePath, _ flags: MountFlags) {
        guard let slot else { return planFileSystem(type, on: target, flags) }
        add(.makeMountPoint(target, .directory))
        add(.attach(slot: slot, target: target))
        add(.restrictTree(target, flags))
    }

    private mutating func planAttach(_ slot: Int, _ target: FilePath, _ flags: MountFlags) {
        add(.makeMountPoint(target, .like(slot: slot)))
        add(.attach(slot: slot, target: target))
        if !flags.isEmpty { add(.restrictMount(target, flags)) }
    }

    private mutating func planMount(_ mount: SandboxMount, _ slot: Int?) {
        let flags = mount.flags.union(noDevices).union(mount.isReadOnly ? .readOnly : [])
        if let slot { return planAttach(slot, mount.target, flags) }
        var data = "mode=1777"
        if case .temporary(let size?) = mount.source { data += ",size=\(size)" }
        planFileSystem("tmpfs", on: mount.target, flags.union(.noSetuid), data: data)
    }
}

// MARK: - A changed root

extension SandboxPlan {
    private mutating func planChroot(_ root: FilePath) throws {
        add(.newSession)
        add(.setUmask(0o022))
        for file in spec.controlGroups.members { add(.write(file, "0")) }
        add(.changeRoot(root))
        // Whoever keeps a directory outside open is outside.
        add(.changeDirectory("/"))
        add(.makeWorkingDirectory(spec.workingDirectory, owner: spec.user.uid, group: spec.user.gid))
        try planPrivileges()
    }

    /// The capabilities of the process. In a changed root it has none that lead out of it: another change of the root,
    /// devices of its own, and hold on processes that are outside.
    private var capabilities: CapabilitySet {
        guard spec.confinement == .chroot else { return spec.capabilities }
        return spec.capabilities.subtracting([.changeRoot, .makeNodes, .trace, .systemAdministration])
    }

    /// Without CAP_SYS_ADMIN a filter takes that programs gain no privileges, which breaks su and sudo. Where there is
    /// nothing but a changed root, a container around the builder mostly has the usual filter itself.
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
    private mutating func planPrivileges() throws {
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
        if filter != nil { add(.keepCapabilities) }
        add(.setIdentity(uid: user.uid, gid: user.gid))
        // A change of user clears the signal, so not earlier.
        add(.dieWithParent)
        // The builder's descriptors, and what is held in slots.
        if spec.hasInit { add(.placeInit) }
        add(.closeDescriptors(from: spec.hasInit ? 5 : 3))
        if spec.forbidsNewPrivileges { add(.forbidNewPrivileges) }
        // From here on only what the profile allows: it must allow the calls of the two steps that follow.
        if let filter { add(.installFilter(filter), filterTolerance) }
        add(.setCapabilities(finalCapabilities))
        add(.execute(spec.arguments.first ?? ""))
    }

    private func filter() throws -> SeccompFilter? {
        guard isHardened, let profile = spec.seccomp else { return nil }
        return try SeccompFilter.compiled(profile, for: capabilities)
    }

    /// A user other than root has none, as after any change of user.
    private var finalCapabilities: CapabilitySet {
        guard isHardened else { return .all }
        return spec.user.uid == 0 ? capabilities : []
    }

    private static func validate(_ spec: SandboxSpec) throws {
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
