package import Linux
package import SystemPackage

/// A tree of files made of directories of the host.
package enum SandboxTree: Hashable, Sendable {
    /// Layers, top first; changes go to `upper`. `work` is an empty directory on the same file system as `upper`.
    case overlay(lowers: [FilePath], upper: FilePath, work: FilePath)
    /// Layers, top first, that nothing is written to.
    case layers([FilePath])
    /// One directory, which is written to.
    case directory(FilePath)
}

/// Something mounted into the sandbox.
package struct SandboxMount: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// A file, socket or directory of the host.
        case bind(FilePath)
        /// A path inside a tree, resolved in it: its symbolic links do not lead out. `/` is the tree itself.
        case tree(SandboxTree, path: FilePath)
        /// An empty directory in memory, of the mode that the target has or else 1777; `size` in bytes, `nil` for the
        /// kernel's default.
        case temporary(size: UInt64?)
        /// A file that exists in memory only and nowhere outside the sandbox, for secrets.
        case file(content: [UInt8], permissions: UInt32, owner: UInt32, group: UInt32)
    }

    /// An absolute path in the sandbox. What is missing of it is made, and removed afterwards.
    package let target: FilePath
    package let source: Source
    package let isReadOnly: Bool
    /// Further restrictions, e.g. `.noExecute`.
    package let flags: MountFlags

    package init(target: FilePath, source: Source, isReadOnly: Bool, flags: MountFlags = []) {
        self.target = target
        self.source = source
        self.isReadOnly = isReadOnly
        self.flags = flags
    }
}

/// The user and groups that the process runs as.
package struct SandboxUser: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32
    /// The supplementary groups.
    package let groups: [UInt32]

    package init(uid: UInt32 = 0, gid: UInt32 = 0, groups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    package static let root = SandboxUser()
}

/// One limit of `setrlimit(2)`.
package struct ResourceLimit: Hashable, Sendable {
    /// The `RLIMIT_` number.
    package let resource: Int32
    package let soft: UInt64
    package let hard: UInt64
    /// Whether a hard limit of the builder that is lower stays as it is.
    package let isCeiling: Bool

    package init(resource: Int32, soft: UInt64, hard: UInt64, isCeiling: Bool = false) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
        self.isCeiling = isCeiling
    }

    /// The `RLIMIT_` numbers by the names that `--ulimit` uses, e.g. `nofile`. They are the same on x86-64 and arm64.
    package static let numbers: [String: Int32] = [
        "cpu": 0, "fsize": 1, "data": 2, "stack": 3, "core": 4, "rss": 5, "nproc": 6, "nofile": 7, "memlock": 8,
        "as": 9, "locks": 10, "sigpending": 11, "msgqueue": 12, "nice": 13, "rtprio": 14, "rttime": 15,
    ]
}

package enum SandboxNetwork: Hashable, Sendable {
    /// The builder's own.
    case host
    /// A new, empty one with loopback up.
    case none
    /// An existing one, by the path of its namespace file, e.g. `/proc/42/ns/net`.
    case namespace(FilePath)
}

package enum SandboxSecurity: Hashable, Sendable {
    /// The capabilities of ``CapabilitySet/container``, masked and read-only paths, no devices.
    case sandbox
    /// Everything the builder may do itself.
    case insecure
}

/// The means by which a process is isolated from the machine.
package enum SandboxConfinement: Hashable, Sendable {
    /// Namespaces of its own, with a root file system that is mounted.
    case namespaces
    /// A chroot, and Landlock where the kernel has it: nothing may be mounted and no namespace be made.
    ///
    /// The root is a ``SandboxTree/directory(_:)`` that holds all the process is to see; see ``ChrootSubstitutes``.
    /// `mounts`, `resolvConf` and `hosts` are empty; network and processes are those of the builder.
    case chroot
}

/// One process to run in a root file system of its own. A value: nothing has happened yet.
package struct SandboxSpec: Hashable, Sendable {
    /// The command and its arguments; a command without a slash is searched in the `PATH` of `environment`.
    package var arguments: [String]
    /// `KEY=value`, exactly what the process gets.
    package var environment: [String] = []
    package var user = SandboxUser.root
    /// Absolute, in the root. What is missing is made, owned by `user`, and stays.
    package var workingDirectory: FilePath = "/"
    package var streams = SandboxStreams.captured
    /// The size that a terminal has from the start.
    package var terminalSize: TerminalSize?
    /// Whether process 1 is a small init, which reaps, and passes signals on to the command; else it is the command.
    package var hasInit = false
    package var hostname = "buildkitsandbox"
    package var root: SandboxTree
    /// Whether the root itself cannot be written to; the mounts on it can.
    package var isRootReadOnly = false
    package var confinement = SandboxConfinement.namespaces
    package var mounts: [SandboxMount] = []
    package var network = SandboxNetwork.host
    /// Files of the host, mounted read-only on `/etc/resolv.conf` and `/etc/hosts`.
    package var resolvConf: FilePath?
    package var hosts: FilePath?
    /// Devices of the host besides those every command has.
    package var devices: [SandboxDevice] = []
    package var limits: [ResourceLimit] = []
    package var security = SandboxSecurity.sandbox
    /// The descriptor of a user namespace whose emulators the command is to have; the caller keeps it open. Its numbers
    /// are those of the builder's own. Not for ``SandboxConfinement/chroot`` and ``SandboxSecurity/insecure``.
    package var emulators: CInt?
    /// The capabilities of the machine for a sandbox.
    package var hostCapabilities = HostCapabilities()
    package var capabilities = CapabilitySet.container
    /// Which system calls the command may make; `nil` for all. Does not count for ``SandboxSecurity/insecure``.
    package var seccomp: SeccompProfile? = .standard
    /// Whether set-user-ID programs and file capabilities give the command nothing.
    package var forbidsNewPrivileges = false
    package var maskedPaths = SandboxSpec.defaultMaskedPaths
    package var readOnlyPaths = SandboxSpec.defaultReadOnlyPaths
    package var controlGroups = SandboxControlGroups()
    /// The size of `/dev/shm` in bytes; `nil` for 64 MiB. With a size of its own, programs on it may be executed, as
    /// with BuildKit.
    package var sharedMemorySize: UInt64?
    /// The size of `/dev/shm` in bytes where none is asked for.
    package static let standardSharedMemorySize: UInt64 = 64 << 20
    /// Whether `sync` inside does nothing (overlay roots only). What was written is safe only after a `syncfs` outside.
    package var isVolatile = false
    /// An existing directory of the host, over which the child mounts its temporary files where only it sees them. It
    /// stays empty, so any number of sandboxes may share one.
    package var scratch: FilePath

    package init(arguments: [String], root: SandboxTree, scratch: FilePath) {
        self.arguments = arguments
        self.root = root
        self.scratch = scratch
    }

    /// The root directory of a ``SandboxConfinement/chroot``.
    var changedRoot: FilePath? {
        guard confinement == .chroot, case .directory(let path) = root else { return nil }
        return path
    }

    package static let defaultMaskedPaths: [FilePath] = [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ]

    package static let defaultReadOnlyPaths: [FilePath] = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]
}
