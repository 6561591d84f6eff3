import SystemPackage
import Testing

@testable import Linux

@Suite struct ControlGroupTests {
    private func limits(_ change: (inout ControlGroupLimits) -> Void) -> ControlGroupLimits {
        var limits = ControlGroupLimits()
        change(&limits)
        return limits
    }

    private func text(_ settings: [ControlGroupSetting]) -> [String] {
        settings.compactMap { setting in setting.value.map { "\(setting.file)=\($0)" } }
    }

    @Test func legacyFiles() {
        let limits = limits {
            $0.memory = 64 << 20
            $0.cpuQuota = 50_000
            $0.cpuPeriod = 100_000
            $0.processes = -1
            $0.cpus = "0-1"
        }
        #expect(limits.controllers == ["memory", "cpu", "cpuset", "pids"])
        #expect(
            text(limits.settings(legacy: "memory")) == [
                "memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=134217728",
            ])
        #expect(text(limits.settings(legacy: "cpu")) == ["cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000"])
        #expect(text(limits.settings(legacy: "pids")) == ["pids.max=max"])
        #expect(text(limits.settings(legacy: "cpuset")) == ["cpuset.cpus=0-1"])
    }

    struct Unified: Sendable {
        var memory: UInt64?
        var total: Int64?
        var quota: Int64?
        var period: UInt64?
        var shares: UInt64?
        var processes: Int64?
        let files: [String]
    }

    @Test(arguments: [
        Unified(memory: 64 << 20, files: ["memory.max=67108864", "memory.swap.max=67108864"]),
        Unified(memory: 64 << 20, total: 96 << 20, files: ["memory.max=67108864", "memory.swap.max=33554432"]),
        Unified(memory: 64 << 20, total: -1, files: ["memory.max=67108864", "memory.swap.max=max"]),
        Unified(quota: 150_000, files: ["cpu.max=150000 100000"]), Unified(quota: -1, files: ["cpu.max=max 100000"]),
        Unified(period: 20_000, files: ["cpu.max=max 20000"]), Unified(shares: 1024, files: ["cpu.weight=39"]),
        Unified(shares: 2, files: ["cpu.weight=1"]), Unified(shares: 262_144, files: ["cpu.weight=10000"]),
        Unified(processes: 7, files: ["pids.max=7"]),
    ])
    func unifiedFiles(_ unified: Unified) {
        let limits = limits {
            $0.memory = unified.memory
            $0.memoryAndSwap = unified.total
            $0.cpuQuota = unified.quota
            $0.cpuPeriod = unified.period
            $0.cpuShares = unified.shares
            $0.processes = unified.processes
        }
        #expect(text(limits.unifiedSettings) == unified.files)
    }

    @Test func findsHierarchies() {
        let mixed = ControlGroupHierarchies(
            mounts: """
                30 29 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs rw
                31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
                32 30 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                33 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
                34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

                """,
            groups: "4:cpu,cpuacct:/a/b\n3:memory:/docker/abc/d\n2:name=systemd:/x\n0::/u\n")
        #expect(!mixed.isUnified)
        #expect(mixed.legacyControllers == ["cpu", "cpuacct", "memory"])
        #expect(mixed.legacy["cpu"]?.ownDirectory == "/sys/fs/cgroup/cpu,cpuacct/a/b")
        #expect(mixed.legacy["memory"]?.ownDirectory == "/sys/fs/cgroup/memory/d")
        let unified = ControlGroupHierarchies(
            mounts: "30 29 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", groups: "0::/user.slice/x\n")
        #expect(unified.isUnified)
        #expect(unified.unified?.ownDirectory == "/sys/fs/cgroup/user.slice/x")
        let none = ControlGroupHierarchies(mounts: "", groups: "")
        #expect(!none.isUnified)
        #expect(none.legacyControllers.isEmpty)
    }
}
