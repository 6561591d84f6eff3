import Diagnostics
import Glibc
package import Linux
package import SystemPackage

/// The mounts and uses that the kernel allows this process. Some are missing in user namespaces and containers.
package struct HostCapabilities: Hashable, Sendable {
    /// The attributes in which overlays keep their marks, or the reason why there are no overlays.
    package enum Overlay: Hashable, Sendable {
        /// In attributes that only the root of the machine may use.
        case trusted
        /// In attributes that everybody may use.
        case user
        /// The kernel mounts none, for the reason given, but this program, fuse-overlayfs, serves some.
        case served(by: FilePath, insteadOf: String)
        /// No overlay: the kernel mounts none, nor can any be served, for the reasons given.
        case none(String, served: String)
    }

    package var overlay = Overlay.trusted
    /// Whether this process is root of a user namespace and not of the machine.
    package var isConfined = false
    /// Where a file system cannot be mounted anew, the one that the builder has is shown.
    package var mountsProcesses = true
    package var mountsSystem = true
    /// The same in a network namespace that the sandbox makes.
    package var mountsSystemInOwnNetwork = true
    /// The numbers of users and groups that there are.
    package var identities = IDMaps(users: .initial, groups: .initial)
    /// Whether this process has CAP_SYS_ADMIN.
    package var isAdministrator = true
    /// The version of the kernel's Landlock, 0 without it.
    package var landlockVersion = 0

    package init() {}

    /// Finds out, by trying; takes a few milliseconds, and less where this process is root of the machine.
    ///
    /// `scratch` is a directory of this process on the store's file system; what is made in it is removed again.
    package static func probe(scratch: FilePath) -> HostCapabilities {
        var hostCapabilities = HostCapabilities()
        hostCapabilities.identities = .current
        hostCapabilities.isAdministrator = CapabilitySet.effective.isSuperset(of: .systemAdministration)
        hostCapabilities.landlockVersion = LandlockRules.version
        hostCapabilities.overlay = overlay(scratch: scratch)
        hostCapabilities.isConfined = UserNamespace.isEntered || hostCapabilities.identities.users != .initial
        guard hostCapabilities.isConfined else { return hostCapabilities }
        func can(_ type: String, _ more: NamespaceSet = []) -> Bool {
            let steps = [
                SandboxStep(.mount(source: nil, target: "/", type: nil, flags: [.recursive, .isPrivate], data: nil)),
                SandboxStep(.mount(source: FilePath(type), target: scratch, type: type, flags: closed, data: nil)),
            ]
            return StepEncoding(steps).obstacle(namespaces: more.union([.mount, .process])) == nil
        }
        hostCapabilities.mountsProcesses = can("proc")
        hostCapabilities.mountsSystem = can("sysfs")
        hostCapabilities.mountsSystemInOwnNetwork = can("sysfs", .network)
        return hostCapabilities
    }

    private static let closed: MountFlags = [.noSetuid, .noDevices, .noExecute]

    private static func overlay(scratch: FilePath) -> Overlay {
        guard let obstacle = OverlayProbe(scratch: scratch).obstacle(usesUserAttributes: true) else { return .user }
        if OverlayProbe(scratch: scratch).obstacle(usesUserAttributes: false) == nil { return .trusted }
        guard let program = HostFacts.tools(in: HostFacts.searchPath())["fuse-overlayfs"] else {
            return .none(obstacle, served: "fuse-overlayfs is not installed")
        }
        let other = ServedOverlay.obstacle(program: program, scratch: scratch)
        return other.map { .none(obstacle, served: $0) } ?? .served(by: program, insteadOf: obstacle)
    }
}

/// Mounts an overlay in a mount namespace that is gone at once, to see whether it can be done.
struct OverlayProbe {
    /// On the file system that the overlay's directories will be on.
    let scratch: FilePath
    /// Whether to try it as the root of a user namespace made for it.
    var inUserNamespace = false

    /// Why it cannot, in words; `nil` if it can.
    func obstacle(usesUserAttributes: Bool) -> String? {
        let name = PathBytes("overlay-probe")
        do {
            let parent = try Directory(opening: scratch)
            try parent.makeDirectory(name, permissions: 0o700)
            defer { try? parent.removeTree(name) }
            let probe = try parent.directory(name)
            for part in ["lower", "upper", "work"] { try probe.makeDirectory(PathBytes(part), permissions: 0o700) }
            // The kernel mounts it without them too, and has then no way to hide what is in a lower directory.
            let mark = PathBytes(usesUserAttributes ? "user.overlay.probe" : "trusted.overlay.probe")
            if !inUserNamespace || usesUserAttributes {
                try probe.setExtendedAttribute("upper", ExtendedAttribute(name: mark, value: [UInt8(ascii: "y")]))
            }
            let path = scratch.appending(name.text)
            let options = OverlayOptions(
                lowers: [path.appending("lower")], upper: path.appending("upper"), work: path.appending("work"),
                usesUserAttributes: usesUserAttributes)
            let steps =
                (inUserNamespace ? SandboxPlan.becomeRoot(geteuid(), getegid()) : [])
                + SandboxPlan.overlayProbe(options, on: path)
            return StepEncoding(steps).obstacle(namespaces: inUserNamespace ? [.user, .mount] : .mount)
        } catch let error as LinuxError {
            return error.message
        } catch {
            return "\(error)"
        }
    }
}

extension StepEncoding {
    /// Why a child cannot perform the steps, in words; `nil` if it can.
    func obstacle(namespaces: NamespaceSet, controlGroup: CInt = -1) -> String? {
        do {
            let spawned = try spawn(
                namespaces: namespaces, standardStreams: (-1, -1, -1), controlGroup: controlGroup)
            try spawned.process.close()
            try check("wait for", "a child") { waitpid(spawned.pid, nil, 0) }
            return nil
        } catch let failure as SpawnFailure {
            return failure.errno.description
        } catch {
            return "\(error)"
        }
    }
}
