import ArgumentParser
import Engine
import Requests
import SystemPackage
import Trees

/// The options for what commands of a build or of `run` may do and use.
struct SandboxOptions: ParsableArguments {
    @Option(
        name: .customLong("allow"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Let RUN do what it asks for: security.insecure, network.host, device or device=/dev/NAME.",
            valueName: "entitlement"))
    var allow: [String] = []

    @Option(
        name: .customLong("cap-add"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Give commands a capability, or ALL.", valueName: "name"))
    var addedCapabilities: [String] = []

    @Option(
        name: .customLong("cap-drop"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Take a capability, or ALL, from commands.", valueName: "name"))
    var droppedCapabilities: [String] = []

    @Option(
        name: .customLong("security-opt"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "seccomp=FILE|unconfined, no-new-privileges or systempaths=unconfined.", valueName: "option"))
    var securityOptions: [String] = []

    @Option(
        name: .customLong("device"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Give commands a device of the host: HOST[:PATH].", valueName: "device"))
    var devices: [String] = []

    @Option(
        name: .customLong("ulimit"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Limit each process, e.g. nofile=1024:4096.", valueName: "TYPE=SOFT[:HARD]"))
    var ulimits: [String] = []

    @Option(
        name: .customLong("shm-size"),
        help: ArgumentHelp("Size of /dev/shm (default: 64m).", valueName: "size"))
    var sharedMemorySize: String?

    @Option(
        name: .customLong("resource"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Limit each command, e.g. memory=512m or cpu-quota=50000.", valueName: "NAME=VALUE"))
    var resources: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("Memory of each command.", valueName: "size"))
    var memory: String?

    @Option(
        name: .customLong("memory-swap"), parsing: .unconditional,
        help: ArgumentHelp("Memory and swap together; -1 for no limit of swap.", valueName: "size"))
    var memorySwap: String?

    @Option(name: .customLong("cpus"), help: ArgumentHelp("Processors of each command, e.g. 1.5.", valueName: "number"))
    var cpus: String?

    @Option(
        name: [.customLong("cpu-shares"), .customShort("c")],
        help: ArgumentHelp("Weight of each command among others, 1024 being usual.", valueName: "number"))
    var cpuShares: String?

    @Option(
        name: .customLong("cpu-quota"), parsing: .unconditional,
        help: ArgumentHelp("Processor time of each command in a period, in microseconds.", valueName: "time"))
    var cpuQuota: String?

    @Option(
        name: .customLong("cpu-period"), help: ArgumentHelp("The period, in microseconds.", valueName: "time"))
    var cpuPeriod: String?

    @Option(
        name: .customLong("cpuset-cpus"), help: ArgumentHelp("Processors to use, e.g. 0-2,5.", valueName: "list"))
    var cpusetCPUs: String?

    @Option(
        name: .customLong("cpuset-mems"), help: ArgumentHelp("Memory nodes to use, e.g. 0.", valueName: "list"))
    var cpusetMems: String?

    @Option(
        name: .customLong("pids-limit"), parsing: .unconditional,
        help: ArgumentHelp("Processes and threads of each command; -1 for no limit.", valueName: "number"))
    var pidsLimit: String?

    @Option(
        name: .customLong("cgroup-parent"),
        help: ArgumentHelp("Control group to make those of the commands in.", valueName: "path"))
    var cgroupParent: String?

    /// Whether a seccomp profile can be read only once.
    var readsStreams: Bool {
        securityOptions.contains { $0.hasPrefix("seccomp=") && isStream(String($0.dropFirst(8))) }
    }

    func request() throws -> SandboxRequest { try SandboxRequest(options: options) }

    /// The options that were given, by their long names. Files have paths that mean the same from everywhere.
    var options: [SandboxRequest.Option] {
        let lists = [
            ("cap-add", addedCapabilities), ("cap-drop", droppedCapabilities),
            ("security-opt", securityOptions.map(Self.withAbsolutePath)), ("allow", allow), ("device", devices),
            ("ulimit", ulimits), ("resource", resources),
        ]
        let single = [
            ("shm-size", sharedMemorySize), ("memory", memory), ("memory-swap", memorySwap), ("cpu-shares", cpuShares),
            ("cpu-quota", cpuQuota), ("cpu-period", cpuPeriod), ("cpuset-cpus", cpusetCPUs),
            ("cpuset-mems", cpusetMems), ("pids-limit", pidsLimit), ("cgroup-parent", cgroupParent), ("cpus", cpus),
        ]
        return lists.flatMap { name, values in values.map { SandboxRequest.Option(name, $0) } }
            + single.compactMap { name, value in value.map { SandboxRequest.Option(name, $0) } }
    }

    private static func withAbsolutePath(_ option: String) -> String {
        let parts = option.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "=" || $0 == ":" }
        guard parts.count == 2, parts[0] == "seccomp", parts[1] != "unconfined", parts[1] != "builtin",
            !parts[1].isEmpty
        else { return option }
        return "seccomp=\(FileSystem.absolute(FilePath(String(parts[1]))))"
    }
}
