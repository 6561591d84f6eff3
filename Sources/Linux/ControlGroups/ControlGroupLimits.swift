/// Limits of all processes of a control group together.
package struct ControlGroupLimits: Hashable, Sendable {
    /// In bytes.
    package var memory: UInt64?
    /// Memory and swap together, in bytes; -1 for no limit of swap. Without it, as much swap as memory.
    package var memoryAndSwap: Int64?
    /// Microseconds of processor time in each period.
    package var cpuQuota: Int64?
    /// In microseconds; the kernel's own default is 100000.
    package var cpuPeriod: UInt64?
    /// A weight among others, 2 to 262144; the kernel's own default is 1024.
    package var cpuShares: UInt64?
    /// A list such as `0-2,5`.
    package var cpus: String?
    /// The same for memory nodes.
    package var memoryNodes: String?
    /// The highest number of processes and threads; -1 for no limit.
    package var processes: Int64?

    package init() {}

    package var isEmpty: Bool { self == ControlGroupLimits() }

    /// The controllers that are needed, by their names.
    var controllers: [String] {
        var names: [String] = []
        if memory != nil || memoryAndSwap != nil { names.append("memory") }
        if cpuQuota != nil || cpuPeriod != nil || cpuShares != nil { names.append("cpu") }
        if cpus != nil || memoryNodes != nil { names.append("cpuset") }
        if processes != nil { names.append("pids") }
        return names
    }

    /// The values for a new group of version 1, file by file, for one controller.
    func settings(legacy controller: String) -> [ControlGroupSetting] {
        switch controller {
        case "memory":
            // The limit of both may never be below that of one, so this order.
            [
                ControlGroupSetting("memory.limit_in_bytes", memory.map(String.init)),
                ControlGroupSetting("memory.memsw.limit_in_bytes", swapTotal, isOptional: memoryAndSwap == nil),
            ]
        case "cpu":
            [
                ControlGroupSetting("cpu.cfs_period_us", cpuPeriod.map(String.init)),
                ControlGroupSetting("cpu.cfs_quota_us", cpuQuota.map(String.init)),
                ControlGroupSetting("cpu.shares", cpuShares.map(String.init)),
            ]
        case "cpuset":
            [ControlGroupSetting("cpuset.cpus", cpus), ControlGroupSetting("cpuset.mems", memoryNodes)]
        case "pids":
            [ControlGroupSetting("pids.max", processes.map { $0 < 0 ? "max" : "\($0)" })]
        default: []
        }
    }

    /// The same for version 2, all controllers at once.
    var unifiedSettings: [ControlGroupSetting] {
        [
            ControlGroupSetting("memory.max", memory.map(String.init)),
            ControlGroupSetting("memory.swap.max", unifiedSwap, isOptional: memoryAndSwap == nil),
            ControlGroupSetting("cpu.max", unifiedQuota),
            ControlGroupSetting("cpu.weight", cpuShares.map { "\(Self.weight(ofShares: $0))" }),
            ControlGroupSetting("cpuset.cpus", cpus),
            ControlGroupSetting("cpuset.mems", memoryNodes),
            ControlGroupSetting("pids.max", processes.map { $0 < 0 ? "max" : "\($0)" }),
        ]
    }

    private var swapTotal: String? {
        if let memoryAndSwap { return "\(memoryAndSwap)" }
        return memory.map { "\($0.multipliedReportingOverflow(by: 2).overflow ? $0 : $0 * 2)" }
    }

    /// Version 2 counts swap alone.
    private var unifiedSwap: String? {
        guard let memoryAndSwap else { return memory.map(String.init) }
        return memoryAndSwap < 0 ? "max" : "\(max(0, memoryAndSwap - Int64(clamping: memory ?? 0)))"
    }

    private var unifiedQuota: String? {
        guard cpuQuota != nil || cpuPeriod != nil else { return nil }
        let quota = cpuQuota.map { $0 < 0 ? "max" : "\($0)" } ?? "max"
        return "\(quota) \(cpuPeriod ?? 100_000)"
    }

    /// The weight, 1 to 10000, that OCI runtimes take for a number of shares.
    private static func weight(ofShares shares: UInt64) -> UInt64 {
        1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142
    }
}

/// A value for one file of a control group.
struct ControlGroupSetting: Hashable, Sendable {
    let file: String
    /// `nil` to leave what is there.
    let value: String?
    /// Whether the file may be missing: kernels can be built without accounting for swap.
    let isOptional: Bool

    init(_ file: String, _ value: String?, isOptional: Bool = false) {
        self.file = file
        self.value = value
        self.isOptional = isOptional
    }
}

/// The resources that the processes of a group have used.
package struct ControlGroupUsage: Hashable, Sendable {
    /// The highest of memory and page cache, in bytes; `nil` where the kernel does not say.
    package var peakMemory: UInt64?
    /// In microseconds; `nil` where the kernel does not say.
    package var userTime: UInt64?
    package var systemTime: UInt64?
    /// How many processes the kernel killed because the group was out of memory.
    package var outOfMemoryKills: UInt64 = 0
}
