import Glibc
import Linux
import OCI
import Sandbox
import SystemPackage

/// The configuration of an OCI runtime bundle, as runc and crun start it: `config.json` beside the files in `rootfs`.
///
/// Source: OCI runtime-spec 1.0.2, config.md and config-linux.md; image-spec, conversion.md.
struct RuntimeBundle {
    static let version = "1.0.2"

    let config: ImageConfig
    let user: ResolvedUser
    /// The numbers of the files' owners in a user namespace; `nil` for root, who needs none.
    let maps: IDMaps?

    /// The maps for the files that this process makes.
    static var currentMaps: IDMaps? {
        if UserNamespace.isEntered { return IDMaps.current }
        guard geteuid() != 0 else { return nil }
        return IDMaps(
            users: IDMap([IDRange(inside: 0, outside: geteuid(), count: 1)]),
            groups: IDMap([IDRange(inside: 0, outside: getegid(), count: 1)]))
    }

    /// Docker's default capabilities, which only root has to begin with.
    private static let capabilities = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
        "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ].map { JSON.string("CAP_\($0)") }

    var json: JSON {
        .object(
            ("ociVersion", .string(Self.version)), ("process", process),
            ("root", .object(("path", .string("rootfs")), ("readonly", .bool(false)))),
            ("hostname", .string("lamina")), ("mounts", .array(mounts)), ("annotations", annotations),
            ("linux", linux))
    }

    private var process: JSON {
        let run = config.config
        let arguments = (run.entrypoint ?? []) + (run.command ?? [])
        let (bounding, own) = (JSON.array(Self.capabilities), JSON.array(user.uid == 0 ? Self.capabilities : []))
        // Nobody can change the groups in a namespace of one number.
        let groups = maps?.groups.count == 1 ? [] : user.groups.filter { $0 != user.gid }
        return .object(
            ("terminal", .bool(false)),
            (
                "user",
                .object(
                    ("uid", .integer(user.uid)), ("gid", .integer(user.gid)),
                    ("additionalGids", groups.isEmpty ? nil : .array(groups.map { .integer($0) })))
            ),
            ("args", .array((arguments.isEmpty ? ["sh"] : arguments).map(JSON.string))),
            ("env", .array(environment.map(JSON.string))),
            ("cwd", .string(run.workingDirectory.hasPrefix("/") ? run.workingDirectory : "/\(run.workingDirectory)")),
            (
                "capabilities",
                .object(
                    ("bounding", bounding), ("effective", own), ("permitted", own))
            ))
    }

    private var environment: [String] {
        func has(_ name: String) -> Bool { config.config.environment.contains { $0.hasPrefix("\(name)=") } }
        var variables = config.config.environment
        if !has("PATH") { variables.insert("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", at: 0) }
        if !has("TERM") { variables.append("TERM=xterm") }
        if !has("HOME") { variables.append("HOME=\(user.home)") }
        return variables
    }

    private var mounts: [JSON] {
        let strict = ["nosuid", "noexec", "nodev"]
        let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
        // The group of terminals has no number in a namespace of one.
        let mounts = [
            Self.mount("/proc", "proc", "proc", []),
            Self.mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Self.mount("/dev/pts", "devpts", "devpts", terminals + (maps == nil ? ["gid=5"] : [])),
            Self.mount("/dev/shm", "tmpfs", "shm", strict + ["mode=1777", "size=65536k"]),
            Self.mount("/dev/mqueue", "mqueue", "mqueue", strict),
        ]
        guard maps == nil else { return mounts + [Self.mount("/sys", "none", "/sys", ["rbind"] + strict + ["ro"])] }
        return mounts + [
            Self.mount("/sys", "sysfs", "sysfs", strict + ["ro"]),
            Self.mount("/sys/fs/cgroup", "cgroup", "cgroup", strict + ["relatime", "ro"]),
        ]
    }

    private static func mount(_ target: String, _ type: String, _ source: String, _ options: [String]) -> JSON {
        .object(
            ("destination", .string(target)), ("type", .string(type)), ("source", .string(source)),
            ("options", options.isEmpty ? nil : .array(options.map(JSON.string))))
    }

    private var annotations: JSON? {
        let prefix = "org.opencontainers.image"
        var all = config.config.labels
        all["\(prefix).os"] = config.platform.os
        all["\(prefix).architecture"] = config.platform.architecture
        all["\(prefix).author"] = config.author
        all["\(prefix).created"] = config.created?.description
        let ports = config.config.exposedPorts.sorted().joined(separator: ",")
        all["\(prefix).exposedPorts"] = ports.isEmpty ? nil : ports
        let signal = config.config.stopSignal
        all["\(prefix).stopSignal"] = signal.isEmpty ? nil : signal
        return JSON.sortedMap(all)
    }

    private var linux: JSON {
        // A namespace for the network would have none: a user who is not root cannot connect it.
        let kinds = ["pid", "ipc", "uts", "mount"] + (maps == nil ? ["network"] : ["user"])
        return .object(
            ("uidMappings", maps.map { Self.mappings($0.users) }),
            ("gidMappings", maps.map { Self.mappings($0.groups) }),
            (
                "resources",
                maps == nil
                    ? .object(
                        ("devices", .array([.object(("allow", .bool(false)), ("access", .string("rwm")))])))
                    : nil
            ),
            ("namespaces", .array(kinds.map { .object(("type", .string($0))) })),
            ("maskedPaths", .array(SandboxSpec.defaultMaskedPaths.map { .string($0.string) })),
            ("readonlyPaths", .array(SandboxSpec.defaultReadOnlyPaths.map { .string($0.string) })))
    }

    private static func mappings(_ map: IDMap) -> JSON {
        .array(
            map.ranges.map { range in
                .object(
                    ("containerID", .integer(range.inside)), ("hostID", .integer(range.outside)),
                    ("size", .integer(range.count)))
            })
    }
}
