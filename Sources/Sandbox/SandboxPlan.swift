import Diagnostics
package import Linux
import SystemPackage

/// A ``SandboxSpec`` as the flat list of what the child does, in order. Making one touches nothing.
package struct SandboxPlan: Sendable {
    package let spec: SandboxSpec
    package private(set) var steps: [SandboxStep] = []
    /// The namespaces the child is made with.
    package let namespaces: NamespaceSet
    /// The overlay that has to be served while the child runs; the child inherits its mount.
    private(set) var servedRoot: ServedOverlay?
    private(set) var slotCount = 0
    /// The process whose namespaces the child enters; `nil` for one with namespaces of its own.
    private(set) var joined: Int32?

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
        add(.setHostname(spec.hostname), spec.hostCapabilities.isConfined ? .mayFail : .mustSucceed)
        try planPrivileges()
    }

    /// Plans another command in a sandbox that runs: `process` is its first process, which stays until the child is made.
    ///
    /// The specification is the one of the sandbox but for the command, its environment, user, directory and streams.
    /// Throws `SandboxError` `.invalid` for what no system call could take, and for a chroot, which nothing can enter.
    package init(_ spec: SandboxSpec, joining process: Int32) throws {
        guard spec.confinement == .namespaces else {
            throw SandboxError(.invalid, "no other command can enter a changed root")
        }
        try Self.validate(spec)
        var spec = spec
        // A command that joins is no first process: the sandbox's own init gets what it leaves behind.
        spec.hasInit = false
        self.spec = spec
        namespaces = []
        joined = process
        add(.newSession)
        add(.setUmask(0o022))
        for file in spec.controlGroups.members { add(.write(file, "0")) }
        func namespace(_ name: String) -> FilePath { FilePath("/proc/\(process)/ns/\(name)") }
        add(.joinNamespace(namespace("cgroup"), .controlGroup), .mayFail)
        add(.joinNamespace(namespace("ipc"), .interprocess))
        add(.joinNamespace(namespace("uts"), .hostname))
        // That of this process belongs to another user namespace, which may not be entered again.
        if spec.network != .host { add(.joinNamespace(namespace("net"), .network)) }
        // The last one: the others cannot be seen from inside.
        add(.joinNamespace(namespace("mnt"), .mount))
        try planPrivileges()
    }

    mutating func add(_ operation: SandboxStep.Operation, _ tolerance: SandboxStep.Tolerance = .mustSucceed) {
        steps.append(SandboxStep(operation, tolerance))
    }

    mutating func newSlot() -> Int {
        slotCount += 1
        return slotCount - 1
    }

    var isHardened: Bool { spec.security == .sandbox }

    /// The flag of mounts on which a device node made inside could be used. Where no control group filters devices, this
    /// keeps the disk of the host out of reach of `mknod`.
    var noDevices: MountFlags { isHardened && !spec.controlGroups.filtersDevices ? .noDevices : [] }
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
        if case .served(let program, _) = spec.hostCapabilities.overlay,
            case .overlay(let lowers, let upper, let work) = spec.root, !lowers.isEmpty
        {
            planServed(ServedOverlay(program: program, lowers: lowers, upper: upper, work: work), on: root)
        } else {
            planTree(spec.root, on: root, isVolatile: spec.isVolatile)
        }
        return root
    }

    private mutating func planServed(_ overlay: ServedOverlay, on target: FilePath) {
        servedRoot = overlay
        let slot = newSlot()
        add(.makeDirectory(target, permissions: 0o700))
        add(.takeInherited(slot: slot))
        add(.attach(slot: slot, target: target))
        forbidDevices(on: target)
    }

    /// Mounts a tree on a new directory.
    mutating func planTree(_ tree: SandboxTree, on target: FilePath, isVolatile: Bool) {
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

    private mutating func forbidDevices(on target: FilePath) {
        if !noDevices.isEmpty { add(.restrictMount(target, noDevices)) }
    }

    private var usesUserAttributes: Bool { spec.hostCapabilities.overlay != .trusted }

    private mutating func planBind(_ path: FilePath, on target: FilePath) {
        add(.mount(source: path, target: target, type: nil, flags: .bind, data: nil))
        forbidDevices(on: target)
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
        forbidDevices(on: target)
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
