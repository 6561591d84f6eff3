import Diagnostics
import Glibc
package import Linux
package import SystemPackage

/// The facts about this machine and user that decide the isolation mode of a build.
package struct HostFacts: Hashable, Sendable {
    package let effectiveUser: UInt32
    package let capabilities: CapabilitySet
    /// Why namespaces of a kind cannot be made; `nil` if they can. Mount and PID namespaces are tried as this user is,
    /// `rootlessObstacle` together with a user namespace.
    package let mountNamespaceObstacle: Errno?
    package let processNamespaceObstacle: Errno?
    package let userNamespaceObstacle: Errno?
    package let rootlessObstacle: Errno?
    /// Whether the kernel knows the overlay file system.
    package let hasOverlay: Bool
    /// Why an overlay cannot be mounted by this user, in words; `nil` if it can.
    package let overlayObstacle: String?
    /// The same for this user as the root of a user namespace of its own.
    package let rootlessOverlayObstacle: String?
    package let controlGroups: ControlGroupFacts
    package let subordinateUsers: [SubordinateRange]
    package let subordinateGroups: [SubordinateRange]
    /// The paths of the programs in `PATH` that a rootless build may use, by name.
    package let tools: [String: FilePath]

    package static let toolNames = ["newuidmap", "newgidmap", "pasta", "fuse-overlayfs"]

    /// Finds out, by trying.
    ///
    /// `scratch` is a directory this process may write to, on the file system the store is on: an overlay is mounted
    /// over directories in it, which are removed again.
    package static func probe(scratch: FilePath) -> HostFacts {
        let uid = geteuid()
        let systems = (try? readText("/proc/filesystems")) ?? ""
        return HostFacts(
            effectiveUser: uid,
            capabilities: .effective,
            mountNamespaceObstacle: NamespaceSet.mount.obstacle(),
            processNamespaceObstacle: NamespaceSet.process.obstacle(),
            userNamespaceObstacle: NamespaceSet.user.obstacle(),
            rootlessObstacle: NamespaceSet([.user, .mount, .process, .interprocess, .hostname]).obstacle(),
            hasOverlay: systems.split(whereSeparator: \.isWhitespace).contains("overlay"),
            overlayObstacle: OverlayProbe(scratch: scratch).obstacle(usesUserAttributes: false),
            rootlessOverlayObstacle: OverlayProbe(scratch: scratch, inUserNamespace: true)
                .obstacle(usesUserAttributes: true),
            controlGroups: .probe(),
            subordinateUsers: SubordinateRange.users,
            subordinateGroups: SubordinateRange.groups,
            tools: tools(in: searchPath()))
    }

    /// The facts about a user namespace of this user's.
    ///
    /// A file system that is served is only mounted in such a namespace once a build is in it: that the device can be
    /// opened, and that there is the program, is what can be told from outside.
    package var rootlessOverlay: HostCapabilities.Overlay {
        guard let obstacle = rootlessOverlayObstacle else { return .user }
        guard let program = tools["fuse-overlayfs"] else {
            return .none(obstacle, served: "fuse-overlayfs is not installed")
        }
        do { _ = try OwnedDescriptor.open("/dev/fuse", .readWrite) } catch {
            return .none(obstacle, served: "/dev/fuse cannot be opened")
        }
        return .served(by: program, insteadOf: obstacle)
    }

    private static func userName(of uid: UInt32) -> String? {
        let passwd = (try? readText("/etc/passwd")) ?? ""
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, fields[2] == "\(uid)" { return String(fields[0]) }
        }
        return nil
    }

    static func subordinates(_ path: FilePath, _ uid: UInt32) -> [SubordinateRange] {
        SubordinateRange.ranges(in: (try? readText(path)) ?? "", name: userName(of: uid), uid: uid)
    }

    /// The directories that programs of the host are looked for in, separated by colons.
    package static func searchPath() -> String {
        guard let value = unsafe getenv("PATH") else { return "" }
        return unsafe String(cString: value)
    }

    /// The tools that are executable files in the directories of `path`, which are separated by colons.
    static func tools(in path: String) -> [String: FilePath] {
        var found: [String: FilePath] = [:]
        let directories = path.split(separator: ":").map { FilePath(String($0)) }
        for name in toolNames {
            found[name] = directories.map { $0.appending(name) }.first { file in
                let outcome = unsafe file.withPlatformString { unsafe access($0, X_OK) }
                return outcome == 0
            }
        }
        return found
    }
}
