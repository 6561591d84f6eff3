import Diagnostics
import Glibc
import Linux
import SystemPackage
import Testing

@testable import Sandbox

/// The environment that a command finds.
@Suite(.tags(.root), .enabled(if: Host.canSandbox, "needs root, namespaces and /bin/busybox"))
struct SandboxInsideTests {
    private func statusFields(_ spec: SandboxSpec) throws -> [String: String] {
        let outcome = try run(spec)
        return Dictionary(
            outcome.lines.compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return parts.count == 2 ? (String(parts[0]), parts[1].trimmingPrefix { $0 == "\t" }.description) : nil
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test func hasTheCapabilitiesOfAContainer() throws {
        let fixture = try Fixture()
        let fields = try statusFields(fixture.spec("/bin/cat", "/proc/self/status"))
        for name in ["CapBnd", "CapPrm", "CapEff"] { #expect(fields[name] == "00000000a80425fb") }
        for name in ["CapInh", "CapAmb"] { #expect(fields[name] == "0000000000000000") }
        #expect(fields["NoNewPrivs"] == "0")
        #expect(fields["Seccomp"] == "2")
        #expect(fields["Seccomp_filters"] == "1")
        #expect(fields["Umask"] == "0022")
        #expect(fields["Pid"] == "1")
        #expect(fields["SigBlk"] == "0000000000000000")
        #expect(fields["SigIgn"] == "0000000000000000")
    }

    @Test func runsAsAnotherUser() throws {
        let fixture = try Fixture()
        var spec = fixture.spec("/bin/cat", "/proc/self/status")
        spec.user = SandboxUser(uid: 1000, gid: 100, groups: [7, 8])
        let fields = try statusFields(spec)
        #expect(fields["Uid"] == "1000\t1000\t1000\t1000")
        #expect(fields["Gid"] == "100\t100\t100\t100")
        #expect(fields["Groups"]?.hasPrefix("7 8") == true)
        for name in ["CapPrm", "CapEff", "CapInh", "CapAmb"] { #expect(fields[name] == "0000000000000000") }
        #expect(fields["CapBnd"] == "00000000a80425fb")
    }

    @Test func hasItsOwnIdentity() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("hostname; echo $$; ls /proc | grep -c '^[0-9]'")
        #expect(try run(spec).lines.prefix(2) == ["buildkitsandbox", "1"])
        spec.hostname = "other"
        #expect(try run(spec).lines[0] == "other")
    }

    @Test func seesTheMountsOfAContainer() throws {
        let fixture = try Fixture()
        try fixture.write("resolv", Array("nameserver 192.0.2.1\n".utf8))
        try fixture.write("hosts", Array("127.0.0.1\tlocalhost\n".utf8))
        var spec = fixture.shell("cat /proc/self/mounts; echo; cat /etc/resolv.conf /etc/hosts; ls -l /dev")
        spec.resolvConf = fixture.path.appending("resolv")
        spec.hosts = fixture.path.appending("hosts")
        let outcome = try run(spec)
        var options: [String: Set<Substring>] = [:]
        for line in outcome.lines {
            let fields = line.split(separator: " ")
            if fields.count == 6 { options["\(fields[1]) \(fields[2])"] = Set(fields[3].split(separator: ",")) }
        }
        let closed: Set<Substring> = ["nosuid", "nodev", "noexec"]
        #expect(options["/ overlay"]?.isSuperset(of: ["rw", "nodev"]) == true)
        #expect(options["/proc proc"]?.isSuperset(of: closed) == true)
        #expect(options["/dev tmpfs"]?.isSuperset(of: ["rw", "nosuid", "nodev", "size=65536k", "mode=755"]) == true)
        let terminals: Set<Substring> = ["nosuid", "noexec", "gid=5", "mode=620", "ptmxmode=666"]
        #expect(options["/dev/pts devpts"]?.isSuperset(of: terminals) == true)
        #expect(options["/dev/shm tmpfs"]?.isSuperset(of: closed.union(["size=65536k"])) == true)
        #expect(options["/dev/mqueue mqueue"]?.isSuperset(of: closed) == true)
        #expect(options["/sys sysfs"]?.isSuperset(of: closed.union(["ro"])) == true)
        #expect(options["/proc/sys proc"]?.isSuperset(of: closed.union(["ro"])) == true)
        #expect(options.keys.contains { $0.hasPrefix("/etc/hosts ") })
        #expect(!outcome.text.contains(fixture.lower.string + "/"))
        #expect(outcome.lines.contains("nameserver 192.0.2.1"))
        #expect(outcome.lines.contains("127.0.0.1\tlocalhost"))
        #expect(outcome.lines.contains { $0.hasSuffix("ptmx -> pts/ptmx") })
        #expect(outcome.lines.contains { $0.hasSuffix("stderr -> /proc/self/fd/2") })
    }

    @Test(arguments: [
        ("head -c 1 /proc/kcore | wc -c", "0"), ("ls -A /sys/firmware | wc -l", "0"),
        ("touch /sys/firmware/x", nil), ("echo 1 > /proc/sys/kernel/panic", nil),
        ("echo 1 > /proc/irq/default_smp_affinity", nil),
        ("mount -t tmpfs tmpfs /tmp", nil), ("echo x > /etc/resolv.conf", nil), ("echo b > /dev/null && echo ok", "ok"),
        ("chmod 640 /dev/full", nil), ("chown 5 /dev/null", nil), ("chmod 640 /proc/keys", nil),
        ("mknod /tmp/d b 254 0 && head -c 1 /tmp/d", nil), ("mknod /dev/d b 254 0 && head -c 1 /dev/d", nil),
        ("mknod /n c 1 3 && echo x > /n", nil), ("mknod /t/n c 1 3 && echo x > /t/n", nil),
        ("mknod /dev/shm/n c 1 3 && echo x > /dev/shm/n", nil), ("head -c 3 /dev/zero | wc -c", "3"),
        ("readlink /proc/self/fd/3 || ls /proc/self/fd | wc -l", "4"),
    ])
    func isConfined(_ script: String, _ output: String?) throws {
        let fixture = try Fixture()
        try fixture.write("resolv", [])
        var spec = fixture.shell(script)
        spec.resolvConf = fixture.path.appending("resolv")
        spec.mounts = [SandboxMount(target: "/t", source: .temporary(size: nil), isReadOnly: false)]
        let outcome = try run(spec)
        if let output {
            #expect(outcome.lines == [output], "\(String(decoding: outcome.errors, as: UTF8.self))")
        } else {
            let refusals = ["Permission denied", "permission denied", "not permitted", "Read-only file system"]
            let errors = String(decoding: outcome.errors, as: UTF8.self)
            #expect(!outcome.status.isSuccess)
            #expect(refusals.contains { errors.contains($0) }, "\(errors)")
        }
    }

    @Test func hasOnlyLoopbackWithoutNetwork() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("ls /sys/class/net; cat /sys/class/net/lo/flags")
        spec.network = .none
        #expect(try run(spec).lines == ["lo", "0x9"])
    }

    @Test func makesTheWorkingDirectory() throws {
        let fixture = try Fixture()
        let lower = try Directory(opening: fixture.lower)
        try lower.makeSymlink("link", to: "/tmp")
        var spec = fixture.shell("echo $(cd -P . && /bin/busybox pwd -P); ls -ldn /tmp/a /tmp/a/b; touch x")
        spec.workingDirectory = "/link/a/b"
        spec.user = SandboxUser(uid: 7, gid: 9)
        let lines = try run(spec).lines
        #expect(lines.first == "/tmp/a/b")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("drwxr-xr-x") && $0.contains(" 7 ") && $0.contains(" 9 ") })
        #expect(try fixture.tree(fixture.upper) == ["tmp/", "tmp/a/", "tmp/a/b/", "tmp/a/b/x"])
    }

    @Test func letsAUserReopenItsStreams() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("echo out > /dev/stdout; echo err > /dev/stderr")
        spec.user = SandboxUser(uid: 1000, gid: 1000)
        let outcome = try run(spec)
        #expect(outcome.text == "out\n")
        #expect(outcome.errors == Array("err\n".utf8))
    }

    @Test func mayDoWhatTheBuilderMayWhenInsecure() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("mount -t tmpfs tmpfs /tmp && touch /tmp/x && grep CapEff /proc/self/status")
        spec.security = .insecure
        #expect(try run(spec).lines.first?.hasSuffix(String(CapabilitySet.effective.rawValue, radix: 16)) == true)
    }

    @Test func joinsANetworkNamespace() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("readlink /proc/self/ns/net")
        let own = try run(spec).text
        spec.network = .namespace("/proc/self/ns/net")
        #expect(try run(spec).text == own)
        spec.network = .none
        #expect(try run(spec).text != own)
    }

    @Test(.enabled(if: Host.status("/sys/fs/cgroup/pids/tasks") != nil, "needs the v1 pids controller"))
    func joinsControlGroups() throws {
        let fixture = try Fixture()
        let controller = try Directory(opening: "/sys/fs/cgroup/pids")
        let name = try #require(fixture.path.lastComponent).string
        try controller.makeDirectory(PathBytes(name), permissions: 0o755)
        defer { try? controller.removeDirectory(PathBytes(name)) }
        var spec = fixture.spec("/bin/cat", "/proc/self/cgroup")
        spec.controlGroups = SandboxControlGroups(
            members: [FilePath("/sys/fs/cgroup/pids").appending(name).appending("cgroup.procs")])
        // Its own group is the top of what it sees.
        #expect(try run(spec).lines.contains { $0.hasSuffix(":pids:/") })
        spec.arguments = [
            "/bin/sh", "-c", "cat /sys/fs/cgroup/pids/cgroup.procs; echo 1 > /sys/fs/cgroup/pids/pids.max",
        ]
        spec.controlGroups = SandboxControlGroups(members: spec.controlGroups.members, legacyControllers: ["pids"])
        let outcome = try run(spec)
        #expect(outcome.lines.first == "1")
        #expect(!outcome.status.isSuccess)
    }

    @Test func appliesLimits() throws {
        let fixture = try Fixture()
        var spec = fixture.shell("ulimit -n; ulimit -Hn")
        let number = try #require(ResourceLimit.numbers["nofile"])
        spec.limits = [ResourceLimit(resource: number, soft: 77, hard: 88)]
        #expect(try run(spec).lines == ["77", "88"])
    }

    @Test func givesMountsOfMemoryTheModeOfTheirDirectory() throws {
        let fixture = try Fixture()
        try fixture.makeDirectory(fixture.lower.appending("private"))
        try Directory(opening: fixture.lower).setPermissions("private", 0o710)
        var spec = fixture.shell("ls -ld /private /new; grep private /proc/self/mounts")
        spec.mounts = ["/private", "/new"].map {
            SandboxMount(target: $0, source: .temporary(size: 8192), isReadOnly: true)
        }
        let lines = try run(spec).lines
        #expect(lines.first { $0.hasSuffix(" /private") }?.hasPrefix("drwx--x---") == true)
        #expect(lines.first { $0.hasSuffix(" /new") }?.hasPrefix("drwxrwxrwt") == true)
        #expect(lines.last?.contains(" ro,nosuid,nodev,relatime,size=8k,mode=710") == true)
    }

    /// Without CAP_SYS_RESOURCE a hard limit can only be lowered.
    @Test func lowersLimitsAsFarAsTheHardLimitAllows() throws {
        let number = try #require(ResourceLimit.numbers["nofile"])
        let steps = [
            SandboxStep(.limit(ResourceLimit(resource: number, soft: 50, hard: 50))),
            SandboxStep(.limitBoundingSet([])), SandboxStep(.setCapabilities([], areInherited: false)),
        ]
        func end(_ limit: ResourceLimit) -> String? {
            StepEncoding(steps + [SandboxStep(.limit(limit))]).obstacle(namespaces: [])
        }
        #expect(end(ResourceLimit(resource: number, soft: 51, hard: 51)) != nil)
        #expect(end(ResourceLimit(resource: number, soft: 51, hard: 51, isCeiling: true)) == nil)
        #expect(end(ResourceLimit(resource: number, soft: 40, hard: 60, isCeiling: true)) == nil)
    }
}
