import Diagnostics
import Glibc
package import Linux
package import SystemPackage

/// What this machine and this user allow: what decides which isolation a build gets.
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
    /// Where `PATH` has the programs a rootless build may use, by name; those it has not are missing.
    package let tools: [String: FilePath]

    package static let toolNames = ["newuidmap", "newgidmap", "pasta", "fuse-overlayfs"]

    /// Finds out, by trying.
    ///
    /// `scratch` is a directory this process may write to, on the file system the store is on: an overlay is mounted
    /// over directories in it, which are removed again.
    package static func probe(scratch: FilePath) -> HostFacts {
        let uid = geteuid()
        let name = userName(of: uid)
        let systems = (try? readText("/proc/filesystems")) ?? ""
        return HostFacts(
            effectiveUser: uid,
            capabilities: .effective,
            mountNamespaceObstacle: NamespaceSet.mount.obstacle(),
            processNamespaceObstacle: NamespaceSet.process.obstacle(),
            userNamespaceObstacle: NamespaceSet.user.obstacle(),
            rootlessObstacle: NamespaceSet([.user, .mount, .process, .interprocess, .hostname]).obstacle(),
            hasOverlay: systems.split(whereSeparator: \.isWhitespace).contains("overlay"),
            overlayObstacle: overlayObstacle(scratch: scratch, isRootless: false),
            rootlessOverlayObstacle: overlayObstacle(scratch: scratch, isRootless: true),
            controlGroups: .probe(),
            subordinateUsers: subordinates("/etc/subuid", name, uid),
            subordinateGroups: subordinates("/etc/subgid", name, uid),
            tools: tools(in: searchPath()))
    }

    private static func userName(of uid: UInt32) -> String? {
        let passwd = (try? readText("/etc/passwd")) ?? ""
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, fields[2] == "\(uid)" { return String(fields[0]) }
        }
        return nil
    }

    private static func subordinates(_ path: FilePath, _ name: String?, _ uid: UInt32) -> [SubordinateRange] {
        SubordinateRange.ranges(in: (try? readText(path)) ?? "", name: name, uid: uid)
    }

    private static func searchPath() -> String {
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

    /// Mounts an overlay in a mount namespace that is gone when this returns.
    private static func overlayObstacle(scratch: FilePath, isRootless: Bool) -> String? {
        let name = PathBytes("overlay-probe-\(getpid())")
        do {
            let parent = try Directory(opening: scratch)
            try parent.makeDirectory(name, permissions: 0o700)
            defer { try? parent.removeTree(name) }
            let probe = try parent.directory(name)
            for part in ["lower", "upper", "work"] { try probe.makeDirectory(PathBytes(part), permissions: 0o700) }
            let path = scratch.appending(name.text)
            let options = OverlayOptions(
                lowers: [path.appending("lower")], upper: path.appending("upper"), work: path.appending("work"),
                usesUserAttributes: isRootless)
            let steps =
                (isRootless ? SandboxPlan.becomeRoot(geteuid(), getegid()) : [])
                + SandboxPlan.overlayProbe(options, on: path)
            let spawned = try StepEncoding(steps).spawn(
                namespaces: isRootless ? [.user, .mount] : .mount, standardStreams: (-1, -1, -1))
            try spawned.process.close()
            try check("wait for", "a child") { waitpid(spawned.pid, nil, 0) }
            return nil
        } catch let failure as SpawnFailure {
            return failure.errno.description
        } catch let error as LinuxError {
            return error.message
        } catch {
            return "\(error)"
        }
    }
}
