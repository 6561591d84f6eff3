import Diagnostics
import Frontend
import GoCompat
import Linux
import Sandbox
import SystemPackage

/// Each function takes the argument of one option, and throws ``RequestsError`` `.badOption` for one that is wrong and
/// `.unsupported` for what is understood but not done.
extension SandboxRequest {
    // MARK: Privileges

    /// `--cap-add` and `--cap-drop`: first all that is dropped, then all that is added, as with Docker.
    package mutating func setCapabilities(adding added: [String], dropping dropped: [String]) throws {
        var set = CapabilitySet.container
        let (add, drop) = (try Self.capabilities(added), try Self.capabilities(dropped))
        if drop == .all { set = [] }
        set.subtract(drop)
        set.formUnion(add == .all ? CapabilitySet.effective : add)
        // ALL and single ones to leave out of it.
        if add == .all, drop != .all { set.subtract(drop) }
        capabilities = set
    }

    private static func capabilities(_ names: [String]) throws -> CapabilitySet {
        var set: CapabilitySet = []
        for name in names {
            if name.uppercased() == "ALL" { return .all }
            guard let capability = CapabilitySet(name: name) else {
                throw Self.bad(
                    "invalid capability: \"\(name)\"",
                    hint: "See capabilities(7) for the names, for instance NET_ADMIN.")
            }
            set.formUnion(capability)
        }
        return set
    }

    /// `--security-opt`.
    package mutating func setSecurityOption(_ text: String) throws {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "=" || $0 == ":" }
        let value = parts.count > 1 ? String(parts[1]) : nil
        switch (parts[0], value) {
        case ("no-new-privileges", nil), ("no-new-privileges", "true"): forbidsNewPrivileges = true
        case ("no-new-privileges", "false"): forbidsNewPrivileges = false
        case ("seccomp", "unconfined"): seccomp = nil
        case ("seccomp", "builtin"): seccomp = .standard
        case ("seccomp", let file?): seccomp = try SeccompProfile(reading: FilePath(file))
        case ("systempaths", "unconfined"): showsSystemPaths = true
        case ("apparmor", "unconfined"), ("label", "disable"):
            // Commands get neither a profile of AppArmor nor a label of SELinux, so there is nothing to take away.
            break
        case ("apparmor", _), ("label", _):
            throw RequestsError(
                .unsupported,
                "--security-opt \(text) is not supported: \(parts[0] == "label" ? "SELinux" : "AppArmor") "
                    + "is not used for commands",
                hint: "They are confined by namespaces, capabilities and seccomp.")
        default:
            throw Self.bad(
                "invalid --security-opt: \"\(text)\"",
                hint: "Use seccomp=FILE|unconfined, no-new-privileges or systempaths=unconfined.")
        }
    }

    /// `--allow`.
    package mutating func allow(_ text: String) throws {
        switch text {
        case "security.insecure": entitlements.insert(.insecureSecurity)
        case "network.host": entitlements.insert(.hostNetwork)
        case "device": entitlements.insert(.device(nil))
        case let name where name.hasPrefix("device=/"):
            entitlements.insert(.device(String(name.dropFirst("device=".count))))
        default:
            throw Self.bad(
                "unknown entitlement \(text)", hint: "Use security.insecure, network.host, device or device=/dev/NAME.")
        }
    }

    /// `--device`: `HOST[:PATH[:PERMISSIONS]]`.
    package mutating func addDevice(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3, !parts[0].isEmpty else { throw Self.bad("invalid device specification: \(text)") }
        let permissions = parts.count == 3 ? parts[2] : "rwm"
        guard ["rwm", "rw"].contains(permissions) else {
            throw RequestsError(
                .unsupported, "--device \(text): permissions other than rw and rwm are not supported",
                hint: "A device can be lent only for reading and writing.")
        }
        let target = FilePath(parts.count > 1 ? parts[1] : parts[0]).lexicallyNormalized()
        guard target.isAbsolute, target != "/" else { throw Self.bad("invalid device specification: \(text)") }
        guard SandboxDevice.isDevice(FilePath(parts[0])) else {
            throw RequestsError(.deviceNotFound, "\(parts[0]) is no device of this machine")
        }
        devices.append(SandboxDevice(source: FilePath(parts[0]), target: target))
    }

    // MARK: Limits

    /// `--ulimit`: `TYPE=SOFT[:HARD]`; -1 is no limit.
    package mutating func addLimit(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw Self.bad(
                "invalid ulimit argument: \(text)", hint: "Write it as TYPE=SOFT[:HARD], e.g. nofile=1024:4096.")
        }
        guard let number = ResourceLimit.numbers[String(parts[0])] else {
            throw Self.bad(
                "invalid ulimit type: \(parts[0])",
                hint: "Use one of \(ResourceLimit.numbers.keys.sorted().joined(separator: ", ")).")
        }
        let values = try parts[1].split(separator: ":", omittingEmptySubsequences: false).map { value -> UInt64 in
            guard let limit = Int64(value), limit >= -1 else { throw Self.bad("invalid ulimit argument: \(text)") }
            return limit < 0 ? .max : UInt64(limit)
        }
        guard values.count <= 2 else {
            throw Self.bad(
                "too many limit values - \(parts[1]), can only have up to two, `soft[:hard]`")
        }
        let hard = values.count > 1 ? values[1] : values[0]
        guard values[0] <= hard else {
            throw Self.bad("ulimit soft limit must be less than or equal to hard limit: \(text)")
        }
        // Of one type the last counts.
        limits.removeAll { $0.resource == number }
        limits.append(ResourceLimit(resource: number, soft: values[0], hard: hard))
    }

    /// `--shm-size`.
    package mutating func setSharedMemorySize(_ text: String) throws {
        guard let size = ByteSize.parse(text), size > 0 else { throw Self.bad("invalid --shm-size: \"\(text)\"") }
        sharedMemorySize = size
    }

    /// `--resource`: `NAME=VALUE`.
    package mutating func setResource(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[0] != "cpus", parts[0] != "pids-limit" else {
            throw Self.bad("invalid resource \"\(text)\"", hint: "Write it as NAME=VALUE with \(Self.resourceNames).")
        }
        try setLimit(parts[0], parts[1], option: "--resource \(parts[0])")
    }

    /// One of the limits of a group by the name of its option, e.g. `memory`, `cpu-quota`.
    package mutating func setLimit(_ name: String, _ value: String, option: String? = nil) throws {
        let option = option ?? "--\(name)"
        func invalid(_ hint: String) -> RequestsError { Self.bad("invalid \(option): \"\(value)\"", hint: hint) }
        func positive() throws -> UInt64 {
            guard let number = UInt64(value), number > 0 else { throw invalid("Use a number above 0.") }
            return number
        }
        func list(_ example: String) throws -> String {
            guard Self.isList(value) else { throw invalid("Use a list such as \(example).") }
            return value
        }
        switch name {
        case "memory":
            guard let size = ByteSize.parse(value), size <= Int64.max else {
                throw invalid("Use a size such as 512m or 2g.")
            }
            guard size >= Self.leastMemory else { throw invalid("Use 6m at least: with less, no command starts.") }
            groupLimits.memory = size
        case "memory-swap":
            guard let size = value == "-1" ? -1 : ByteSize.parse(value).flatMap({ Int64(exactly: $0) }), size != 0
            else {
                throw invalid("Use a size such as 1g, which counts memory and swap together, or -1.")
            }
            groupLimits.memoryAndSwap = size
        case "cpus":
            guard let number = Double(value), number > 0, number.isFinite, number < 1e6 else {
                throw invalid("Use a number such as 1.5.")
            }
            guard groupLimits.cpuQuota == nil, groupLimits.cpuPeriod == nil else {
                throw Self.bad(
                    "conflicting options: --cpus and a quota or period of processor time cannot both be set",
                    hint: "Use --cpus alone, which sets both.")
            }
            guard number >= 0.01, number <= Double(Processors.online) else {
                throw invalid("This machine has \(Processors.online) processors: use 0.01 to that number.")
            }
            groupLimits.cpuPeriod = Self.defaultPeriod
            groupLimits.cpuQuota = Int64((number * Double(Self.defaultPeriod)).rounded())
        case "cpu-quota":
            guard let number = Int64(value), number == -1 || number >= 1000 else {
                throw invalid("Use microseconds, 1000 at least, or -1.")
            }
            groupLimits.cpuQuota = number
        case "cpu-period":
            let number = try positive()
            guard (1000...1_000_000).contains(number) else { throw invalid("Use 1000 to 1000000 microseconds.") }
            groupLimits.cpuPeriod = number
        case "cpu-shares":
            let number = try positive()
            guard (2...262_144).contains(number) else { throw invalid("Use 2 to 262144.") }
            groupLimits.cpuShares = number
        case "cpuset-cpus": groupLimits.cpus = try list("0-2,5")
        case "cpuset-mems": groupLimits.memoryNodes = try list("0-1")
        case "pids-limit":
            guard let number = Int64(value), number == -1 || number > 0 else { throw invalid("Use a number, or -1.") }
            groupLimits.processes = number
        default: throw Self.bad("unknown resource \"\(name)\"", hint: "Use \(Self.resourceNames).")
        }
    }

    /// As with Docker.
    private static let leastMemory: UInt64 = 6 << 20

    private static let resourceNames =
        "memory, memory-swap, cpu-quota, cpu-period, cpu-shares, cpuset-cpus or cpuset-mems"

    /// Whether a text is a list of numbers and ranges.
    private static func isList(_ text: String) -> Bool {
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else {
                return false
            }
            return first <= last
        }
    }

    /// `--cgroup-parent`: a path in the tree, or the name of a slice of systemd's.
    package mutating func setGroupParent(_ text: String) throws {
        guard !text.contains(":") else {
            throw RequestsError(
                .unsupported, "--cgroup-parent \(text): groups made by systemd are not supported", hint: "Give a path.")
        }
        let parts = text.split(separator: "/")
        guard !parts.isEmpty, !parts.contains(".."), !parts.contains(".") else {
            throw Self.bad("invalid --cgroup-parent: \"\(text)\"")
        }
        groupParent = text.contains("/") || !text.hasSuffix(".slice") ? text : Self.path(ofSlice: text)
    }

    /// `a-b.slice` is in `a.slice`. See `systemd.slice(5)`.
    private static func path(ofSlice name: String) -> String {
        var (path, prefix) = ("", "")
        for part in name.dropLast(".slice".count).split(separator: "-") {
            prefix += prefix.isEmpty ? "\(part)" : "-\(part)"
            path += "/\(prefix).slice"
        }
        return path
    }

    /// Throws if two limits contradict each other.
    package func checkLimits() throws {
        guard let total = groupLimits.memoryAndSwap, total >= 0 else { return }
        guard let memory = groupLimits.memory else {
            throw Self.bad("--memory-swap needs --memory", hint: "It limits memory and swap together.")
        }
        guard total >= Int64(clamping: memory) else {
            throw Self.bad("--memory-swap is less than --memory", hint: "It limits memory and swap together.")
        }
    }

    package static func bad(_ message: String, hint: String? = nil) -> RequestsError {
        RequestsError(.badOption, message, hint: hint)
    }
}
