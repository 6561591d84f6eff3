package import Linux
package import SystemPackage

/// One action of the child between `clone` and `execve`.
package struct SandboxStep: Hashable, Sendable {
    /// Which failures of the step do not end the child.
    package enum Tolerance: Hashable, Sendable {
        case mustSucceed
        /// Ignore ENOENT and ENOTDIR.
        case mayBeMissing
        /// Ignore every error.
        case mayFail
    }

    package enum Operation: Hashable, Sendable {
        case mount(source: FilePath?, target: FilePath, type: String?, flags: MountFlags, data: PathBytes?)
        /// A new file system in memory, with the permissions of the directory it hides, 1777 for one that is made.
        case mountTemporary(target: FilePath, flags: MountFlags, data: PathBytes?)
        case restrictMount(FilePath, MountFlags)
        /// The same with all that is mounted below.
        case restrictTree(FilePath, MountFlags)
        case makeDirectory(FilePath, permissions: UInt32)
        case makeFile(FilePath, content: [UInt8], permissions: UInt32, owner: UInt32, group: UInt32)
        case makeMountPoint(FilePath, MountPointKind)
        case makeWorkingDirectory(FilePath, owner: UInt32, group: UInt32)
        case write(FilePath, String)
        case symlink(FilePath, to: FilePath)
        /// Holds a mount of a file or directory that cannot be reached any more when it is attached.
        case openTree(slot: Int, root: FilePath?, path: FilePath)
        /// The same with all that is mounted below.
        case openTrees(slot: Int, path: FilePath)
        case attach(slot: Int, target: FilePath)
        case openFileSystem(slot: Int, type: String)
        case setOption(slot: Int, key: String, value: PathBytes)
        case makeMount(slot: Int)
        /// Holds the inherited descriptor, which is a mount.
        case takeInherited(slot: Int)
        /// Gives the inherited descriptor to the command under this number.
        case placeInherited(number: Int)
        case pivotRoot(FilePath)
        case changeRoot(FilePath)
        case changeDirectory(FilePath)
        case mask(FilePath)
        case makeReadOnly(FilePath)
        case joinNetwork(FilePath)
        /// Enters a namespace of another process, by the path of its file and its kind.
        case joinNamespace(FilePath, NamespaceSet)
        /// Enters the user namespace whose descriptor the child has. What comes before has the privileges of the builder,
        /// and what follows those of the root of that namespace.
        case joinUserNamespace
        case newControlGroupNamespace
        case setHostname(String)
        case bringLoopbackUp
        case limit(ResourceLimit)
        case dieWithParent
        case newKeyring
        case limitBoundingSet(CapabilitySet)
        /// With `areInherited`, programs that a user other than root executes keep them.
        case setCapabilities(CapabilitySet, areInherited: Bool)
        case setGroups([UInt32])
        case setIdentity(uid: UInt32, gid: UInt32)
        case placeStandardStreams(owner: UInt32)
        case openTerminal(owner: UInt32, isControlling: Bool, size: TerminalSize?)
        /// Prepares for executing the init program instead of the command.
        case placeInit
        case closeDescriptors(from: UInt32)
        case newSession
        case setUmask(UInt32)
        /// Keeps the permitted capabilities through a change of user.
        case keepCapabilities
        case forbidNewPrivileges
        /// Confines the child and its descendants to the files below a directory.
        case confine(to: FilePath, LandlockRules)
        case installFilter(SeccompFilter)
        case execute(String)
    }

    package enum MountPointKind: Hashable, Sendable {
        case file
        case directory
        /// A file or a directory, as the held mount is one.
        case like(slot: Int)
    }

    package let operation: Operation
    package let tolerance: Tolerance

    package init(_ operation: Operation, _ tolerance: Tolerance = .mustSucceed) {
        self.operation = operation
        self.tolerance = tolerance
    }
}

extension SandboxStep: CustomStringConvertible {
    /// The step as an error message names it, e.g. `mount proc on /proc (nosuid,nodev,noexec)`.
    package var description: String { operation.description }
}

extension SandboxStep.Operation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .mount, .mountTemporary, .restrictMount, .restrictTree, .openTree, .openTrees, .attach, .openFileSystem,
            .setOption,
            .makeMount, .takeInherited, .pivotRoot, .mask, .makeReadOnly:
            mountDescription
        case .makeDirectory(let path, let permissions): "create \(path) (mode \(String(permissions, radix: 8)))"
        case .makeFile(let path, let content, let permissions, let owner, let group):
            "create \(path) (\(content.count) bytes, mode \(String(permissions, radix: 8)), owner \(owner):\(group))"
        case .makeMountPoint(let path, _): "create the mount point \(path)"
        case .makeWorkingDirectory(let path, let owner, let group):
            "create the working directory \(path) (owner \(owner):\(group))"
        case .write(let path, let text): "write \"\(text)\" to \(path)"
        case .symlink(let path, let target): "link \(path) to \(target)"
        case .changeRoot(let path): "change the root to \(path)"
        case .changeDirectory(let path): "enter the directory \(path)"
        case .joinNetwork(let path): "join the network namespace \(path)"
        case .joinNamespace(let path, _): "join the namespace \(path)"
        case .joinUserNamespace: "join the user namespace of the emulators"
        case .newControlGroupNamespace: "create a cgroup namespace"
        case .setHostname(let name): "set the host name to \(name)"
        case .bringLoopbackUp: "bring the loopback interface up"
        case .limit(let limit): "limit resource \(limit.resource) to \(limit.soft):\(limit.hard)"
        case .dieWithParent: "die with the parent"
        case .newKeyring: "create a session keyring"
        case .limitBoundingSet(let set): "limit the bounding set to \(set)"
        case .setCapabilities(let set, let areInherited):
            "set the capabilities to \(set)" + (areInherited ? ", inherited" : "")
        case .setGroups(let groups): "set the groups to [\(groups.map(String.init).joined(separator: " "))]"
        case .setIdentity(let uid, let gid): "become user \(uid):\(gid)"
        case .placeStandardStreams(let owner): "place the standard streams (owner \(owner))"
        case .openTerminal(let owner, let isControlling, _):
            "open a terminal (owner \(owner)\(isControlling ? ", controlling" : ""))"
        case .placeInit: "place the init program"
        case .closeDescriptors(let first): "close the descriptors from \(first)"
        case .placeInherited(let number): "place the inherited descriptor as \(number)"
        case .newSession: "create a session"
        case .setUmask(let mask): "set the umask to \(String(mask, radix: 8))"
        case .keepCapabilities: "keep the capabilities"
        case .forbidNewPrivileges: "forbid new privileges"
        case .confine(let path, let rules): "confine to \(path) (\(rules))"
        case .installFilter(let filter): "install the seccomp filter (\(filter.count) instructions)"
        case .execute(let command): "execute \(command)"
        }
    }

    private var mountDescription: String {
        switch self {
        case .mount(let source, let target, let type, let flags, let data):
            "mount \(type ?? source?.string ?? "nothing") on \(target) (\(Self.options(flags, data)))"
        case .mountTemporary(let target, let flags, let data):
            "mount tmpfs on \(target) (\(Self.options(flags, data)))"
        case .restrictMount(let target, let flags): "restrict the mount on \(target) (\(flags))"
        case .restrictTree(let target, let flags): "restrict all mounts on \(target) (\(flags))"
        case .openTree(let slot, let root, let path): "take \(path)\(root.map { " in \($0)" } ?? "") as #\(slot)"
        case .openTrees(let slot, let path): "take all of \(path) as #\(slot)"
        case .attach(let slot, let target): "mount #\(slot) on \(target)"
        case .openFileSystem(let slot, let type): "prepare \(type) as #\(slot)"
        case .setOption(let slot, let key, let value): "set \(key)\(value.isEmpty ? "" : "=\(value)") of #\(slot)"
        case .makeMount(let slot): "make #\(slot)"
        case .takeInherited(let slot): "take the inherited mount as #\(slot)"
        case .pivotRoot(let path): "make \(path) the root"
        case .mask(let path): "mask \(path)"
        case .makeReadOnly(let path): "make \(path) read-only"
        default: ""
        }
    }

    private static func options(_ flags: MountFlags, _ data: PathBytes?) -> String {
        [flags.description, data?.text ?? ""].filter { !$0.isEmpty }.joined(separator: ",")
    }
}
