import Linux
import SystemPackage

// MARK: - What the host gives

extension SandboxPlan {
    /// Mounts of the host's files, held to be attached inside, in order.
    struct Held {
        var devices: [(slot: Int, target: FilePath)] = []
        /// The slots of `/proc` and `/sys`.
        var processes: Int?
        var system: Int?
        var files: [(slot: Int, target: FilePath)] = []
        /// `nil` for a mount that takes nothing from the host.
        var mounts: [(slot: Int?, mount: SandboxMount)] = []
    }

    private static let deviceNames = ["null", "zero", "full", "random", "urandom", "tty"]

    mutating func planSources() -> Held {
        var held = Held()
        for name in Self.deviceNames {
            let path = FilePath("/dev").appending(name)
            held.devices.append((take(path), path))
        }
        if !isHardened {
            // As far as the host has them; a command with all capabilities could make them itself.
            for name in SandboxDevice.insecureNames {
                let path = FilePath("/dev").pushing(FilePath(name))
                if SandboxDevice.isDevice(path) { held.devices.append((take(path), path)) }
            }
        }
        for device in spec.devices { held.devices.append((take(device.source), device.target)) }
        if spec.hostCapabilities.isConfined {
            // The kernel mounts these two only where they can be seen already, which they cannot in the new root.
            held.processes = spec.hostCapabilities.mountsProcesses ? make("proc") : takeTree("/proc")
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

    /// A network namespace made by the sandbox belongs to its user namespace; another one's devices are shown in /sys.
    private var mountsSystem: Bool {
        spec.network == .host ? spec.hostCapabilities.mountsSystem : spec.hostCapabilities.mountsSystemInOwnNetwork
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
    mutating func planInside(_ held: Held) {
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
        let group = spec.hostCapabilities.identities.groups.contains(5) ? ",gid=5" : ""
        planFileSystem(
            "devpts", on: "/dev/pts", [.noSetuid, .noExecute], data: "newinstance,ptmxmode=0666,mode=0620\(group)")
        planSharedMemory()
        planFileSystem("mqueue", on: "/dev/mqueue", closed)
        planKernelMount("sysfs", held.system, on: "/sys", kernel)
        // The builder's own /sys comes with what is mounted in it.
        if spec.hostCapabilities.isConfined, !mountsSystem { add(.mask("/sys/fs/cgroup"), .mayBeMissing) }
        planControlGroupMounts(kernel)
    }

    /// Mounts `/dev/shm`, unless a mount of the command's own replaces it.
    private mutating func planSharedMemory() {
        let path: FilePath = "/dev/shm"
        let isReplaced = spec.mounts.contains { mount in
            guard case .temporary = mount.source else { return false }
            return mount.target.lexicallyNormalized() == path
        }
        guard !isReplaced else { return }
        let flags: MountFlags =
            spec.sharedMemorySize == nil ? [.noSetuid, .noDevices, .noExecute] : noDevices.union(.noSetuid)
        planFileSystem(
            "tmpfs", on: path, flags,
            data: "mode=1777,size=\(spec.sharedMemorySize ?? SandboxSpec.standardSharedMemorySize)")
    }

    /// The limits that a command may read: in its namespace, the top is its own group.
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
        var data: PathBytes?
        if case .temporary(let size?) = mount.source { data = PathBytes("size=\(size)") }
        add(.mountTemporary(target: mount.target, flags: flags.union(.noSetuid), data: data))
    }
}
