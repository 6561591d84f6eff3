import Linux
import Sandbox
import SystemPackage
import Testing

@Suite struct HostFactsTests {
    @Test(arguments: [
        (
            "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate", "cpu memory\n" as String?,
            ControlGroupFacts.Layout.unified, ["cpu", "memory"]
        ),
        (
            "1 0 0:1 / /c rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n2 0 0:2 / /s rw - cgroup cgroup rw,name=systemd",
            nil, .legacy, ["cpu", "cpuacct"]
        ),
        ("1 0 0:1 / /c rw - cgroup cgroup rw,pids\n2 0 0:2 / /u rw - cgroup2 none rw", "", .hybrid, ["pids"]),
        ("1 0 0:1 / / rw - ext4 /dev/sda rw", nil, .none, []),
    ])
    func readsControlGroups(
        _ mounts: String, _ unified: String?, _ layout: ControlGroupFacts.Layout, _ controllers: [String]
    ) {
        let facts = ControlGroupFacts(mounts: mounts, unifiedControllers: unified)
        #expect(facts.layout == layout)
        #expect(facts.controllers == controllers)
    }

    @Test func readsSubordinateRanges() {
        let text = "bob:100000:65536\n1000:300000:10\nalice:1:1\n\nbob:x:5\nbob:9:0\n:5:5\n"
        let ranges = SubordinateRange.ranges(in: text, name: "bob", uid: 1000)
        #expect(ranges == [.init(start: 100_000, count: 65536), .init(start: 300_000, count: 10)])
        #expect(SubordinateRange.ranges(in: text, name: nil, uid: 7) == [])
    }

    @Test func namesCapabilities() {
        let names = """
            CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD \
            AUDIT_WRITE SETFCAP
            """
        #expect(CapabilitySet.container.description == names)
    }

    @Test(.tags(.root), .enabled(if: Host.canSandbox, "needs root and namespaces"))
    func probesThisMachine() throws {
        let fixture = try Fixture()
        let facts = HostFacts.probe(scratch: fixture.scratch)
        #expect(facts.effectiveUser == 0)
        #expect(facts.capabilities.contains(.systemAdministration))
        #expect(facts.mountNamespaceObstacle == nil)
        #expect(facts.processNamespaceObstacle == nil)
        #expect(facts.overlayObstacle == nil)
        #expect((facts.rootlessOverlayObstacle == nil) == (facts.rootlessObstacle == nil))
        #expect(facts.hasOverlay)
        #expect(try fixture.tree(fixture.scratch) == [])
    }
}
