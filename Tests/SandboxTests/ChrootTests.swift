import Diagnostics
import Dispatch
import Glibc
import Linux
import SystemPackage
import Testing

@testable import Sandbox

/// Commands in a chroot, without namespaces.
@Suite(.tags(.root), .enabled(if: Host.canSandbox, "needs root and /bin/busybox"))
struct ChrootTests {
    private func spec(_ fixture: Fixture, _ script: String) -> SandboxSpec {
        var spec = fixture.shell(script)
        spec.root = .directory(fixture.lower)
        spec.confinement = .chroot
        return spec
    }

    /// Runs a script in a tree of its own.
    private func run(_ script: String) throws -> Outcome {
        let fixture = try Fixture()
        return try withExtendedLifetime(fixture) { try SandboxTests.run(spec(fixture, script)) }
    }

    @Test func listsEveryStep() throws {
        var spec = SandboxSpec(arguments: ["sh"], root: .directory("/t/root"), scratch: "/t/none")
        spec.confinement = .chroot
        spec.workingDirectory = "/w"
        let plan = try SandboxPlan(spec)
        #expect(plan.namespaces == [])
        let kept =
            "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW AUDIT_WRITE SETFCAP"
        let steps = plan.steps.map(\.description)
        #expect(
            steps.filter { !$0.contains("filter") } == [
                "create a session", "set the umask to 22", "change the root to /t/root", "enter the directory /",
                "create the working directory /w (owner 0:0)", "place the standard streams (owner 0)",
                "enter the directory /w", "create a session keyring", "limit the bounding set to \(kept)",
                "set the groups to []", "keep the capabilities", "become user 0:0", "die with the parent",
                "close the descriptors from 3", "set the capabilities to \(kept)", "execute sh",
            ])
        // The filter is set after all that it may forbid.
        #expect(plan.steps.suffix(3).first?.tolerance == .mustSucceed)
        #expect(steps.suffix(3).first?.contains("filter") == true)
    }

    @Test func usesLandlockAndTheFilterWithoutPrivileges() throws {
        var spec = SandboxSpec(arguments: ["sh"], root: .directory("/t/root"), scratch: "/t/none")
        spec.confinement = .chroot
        spec.hostCapabilities.isAdministrator = false
        spec.hostCapabilities.landlockVersion = 7
        let last = try SandboxPlan(spec).steps.suffix(5)
        #expect(
            last.prefix(2).map(\.description) == [
                "forbid new privileges", "confine to / (files, abstract sockets, signals)",
            ])
        #expect(last.allSatisfy { $0.tolerance == .mustSucceed })
    }

    /// A kernel refuses what its version does not know.
    @Test(arguments: [(0, nil), (1, nil), (2, 14), (3, 15), (4, 15), (5, 16), (6, 16), (9, 16)] as [(Int, Int?)])
    func asksLandlockForWhatItsVersionHas(_ version: Int, _ rights: Int?) {
        let rules = LandlockRules(version: version)
        #expect(rules?.rights.nonzeroBitCount == rights)
        #expect((rules?.scopes ?? 0 != 0) == (version >= 6))
    }

    /// Without Landlock the filter keeps processes from each other's memory.
    @Test func forbidsTracingWhereThereIsNoLandlock() throws {
        let profile = SeccompProfile.standard.denyingTracing
        let rules = profile.rules(for: .container, KernelVersion(6, 1))
        #expect(rules.filter { $0.names.contains("ptrace") }.map(\.action) == [.errno(EPERM)])
        #expect(rules.contains { $0.names.contains("openat") && $0.action == .allow })
    }

    /// Landlock keeps a command from signals that its identity would let it send.
    @Test(.enabled(if: LandlockRules.isScoped(version: LandlockRules.version), "needs Landlock of Linux 6.12"))
    func keepsSignalsInside() throws {
        let fixture = try Fixture()
        var spec = spec(
            fixture, "kill -9 $PPID; kill -9 \(getpid()); echo alive; sh -c 'sleep 100 & kill $!' && echo own")
        spec.hostCapabilities.landlockVersion = LandlockRules.version
        let outcome = try SandboxTests.run(spec)
        #expect(outcome.lines == ["alive", "own"])
        #expect(outcome.status.isSuccess)
    }

    @Test(.enabled(if: LandlockRules.version >= 2, "needs Landlock"))
    func worksUnderLandlock() throws {
        let fixture = try Fixture()
        var spec = spec(
            fixture,
            "mkdir /a /b && echo 1 > /a/f && mv /a/f /b/g && ln /b/g /a/h && ln -s g /b/s && : > /b/g && mkfifo /p && rm -r /a /b"
                + " && echo ok")
        spec.hostCapabilities.landlockVersion = LandlockRules.version
        spec.hostCapabilities.isAdministrator = false
        #expect(try SandboxTests.run(spec).lines == ["ok"])
    }

    /// Where nothing keeps a command from its supervisor, what it leaves is ended by this program.
    @Test func endsWhatAKilledSupervisorLeaves() throws {
        let fixture = try Fixture()
        let mark = Host.uniqueSeconds()
        let started = ContinuousClock.now
        let outcome = try SandboxTests.run(
            spec(fixture, "(setsid sh -c 'sleep \(mark); true' &); sleep 0.3; kill -9 $PPID; sleep 100"))
        #expect(outcome.status == .signaled(signal: SIGKILL))
        #expect(try !Host.isSleeping(mark))
        #expect(ContinuousClock.now - started < .seconds(60))
    }

    @Test func refusesWhatTakesAMountOrANamespace() throws {
        func code(_ change: (inout SandboxSpec) -> Void) -> SandboxCode? {
            var spec = SandboxSpec(arguments: ["sh"], root: .directory("/t/root"), scratch: "/t/none")
            spec.confinement = .chroot
            change(&spec)
            do { _ = try SandboxPlan(spec) } catch { return (error as? SandboxError)?.code }
            return nil
        }
        #expect(code { _ in } == nil)
        #expect(code { $0.network = .none } == .invalid)
        #expect(code { $0.security = .insecure } == .invalid)
        #expect(code { $0.root = .layers(["/a"]) } == .invalid)
        #expect(code { $0.hosts = "/etc/hosts" } == .invalid)
        #expect(
            code { $0.mounts = [SandboxMount(target: "/a", source: .temporary(size: nil), isReadOnly: false)] }
                == .invalid)
    }

    @Test(arguments: [("exit 7", 7), ("kill -9 $$", 137)])
    func reportsTheCommandsEnd(_ script: String, _ code: Int32) throws {
        #expect(try run(script).status.shellCode == code)
    }

    @Test func seesTheTreeOnly() throws {
        let fixture = try Fixture()
        let outcome = try SandboxTests.run(spec(fixture, "ls /; cat /etc/passwd | head -n1; pwd"))
        #expect(outcome.lines == ["bin", "etc", "tmp", "root:x:0:0:root:/root:/bin/sh", "/"])
        #expect(outcome.status.isSuccess)
    }

    @Test func failsAsANamespacedOneDoes() throws {
        let fixture = try Fixture()
        var missing = spec(fixture, "")
        missing.arguments = ["/no/such"]
        #expect(throws: SandboxError.self) { _ = try SandboxProcess(try SandboxPlan(missing)) }
        var plain = spec(fixture, "")
        plain.arguments = ["/etc/passwd"]
        do {
            _ = try SandboxTests.run(plain)
            Issue.record("a file without the right to be executed was")
        } catch let error as SandboxError {
            #expect(error.code == .commandNotExecutable)
        }
    }

    /// As where the process of another sandbox has inherited the descriptor and not closed it yet.
    @Test func waitsForAProgramThatIsJustBeingWritten() throws {
        let fixture = try Fixture()
        let path = fixture.path.appending("lower/bin/busybox")
        Self.hold(try OwnedDescriptor.open(path, .readWrite), for: .milliseconds(100))
        #expect(try SandboxTests.run(spec(fixture, "exit 3")).status.shellCode == 3)
    }

    private static func hold(_ descriptor: consuming OwnedDescriptor, for time: DispatchTimeInterval) {
        let held = SharedDescriptor(descriptor)
        DispatchQueue.global().asyncAfter(deadline: .now() + time) { withExtendedLifetime(held) {} }
    }

    @Test func runsAsAUser() throws {
        let fixture = try Fixture()
        var spec = spec(fixture, "id -u; id -g; touch /etc/x || echo refused; touch /w/y && ls /w")
        spec.user = SandboxUser(uid: 1000, gid: 1000, groups: [7])
        spec.workingDirectory = "/w"
        #expect(try SandboxTests.run(spec).lines == ["1000", "1000", "refused", "y"])
    }

    /// Attempts to leave the root or to reach something outside, each of which must fail.
    @Test(arguments: [
        "mkdir -p /x && chroot /x /bin/sh -c true",
        "mknod /tmp/disk b 8 0",
        "mknod /tmp/null c 1 3",
        "mount -t tmpfs none /tmp",
        "cat /proc/1/environ",
        "ls /etc/../../../proc/1",
        "cat /../../../../../../proc/version",
        "ls /dev/null",
        "hostname elsewhere",
    ])
    func staysInside(_ script: String) throws {
        let outcome = try run(script)
        #expect(!outcome.status.isSuccess, "\(outcome.text)")
    }

    @Test func hasNoDescriptorsOfTheBuilder() throws {
        let outside = try OwnedDescriptor.open("/", options: .directory)
        // Not closed on execution, as a careless library would have it. Its number is one that is free: to take over one
        // of another test, which runs at the same time, would be to write into its files.
        let copy = fcntl(outside.number, F_DUPFD, 77)
        try #require(copy >= 77)
        defer { close(copy) }
        #expect(try !run("cat <&\(copy) || ls /dev/fd/\(copy)").status.isSuccess)
    }

    @Test func endsWithAllItStarted() throws {
        let fixture = try Fixture()
        let mark = Host.uniqueSeconds()
        let outcome = try SandboxTests.run(
            spec(
                fixture,
                "sleep \(mark) & (setsid sleep \(mark) &) ; (sh -c 'sleep \(mark) & sleep \(mark)' &) ; echo ok"))
        #expect(outcome.text == "ok\n")
        #expect(try !Host.isSleeping(mark))
    }

    @Test func isKilledWithAllItStarted() async throws {
        let fixture = try Fixture()
        let mark = Host.uniqueSeconds()
        let plan = try SandboxPlan(spec(fixture, "(setsid sleep \(mark) &) ; echo started; sleep \(mark)"))
        let status = try await offload {
            let process = try SandboxProcess(plan)
            let signaller = process.signaller
            try process.forwardOutput { _, _ in signaller.kill() }
            return try process.wait()
        }
        #expect(status == .signaled(signal: SIGKILL))
        #expect(try !Host.isSleeping(mark))
    }

    /// A supervisor that its command has stopped by a signal can be ended all the same.
    @Test(.timeLimit(.minutes(5))) func isKilledThoughItHasStoppedItsSupervisor() async throws {
        let fixture = try Fixture()
        let mark = Host.uniqueSeconds()
        let plan = try SandboxPlan(spec(fixture, "kill -STOP $PPID; echo stopped; sleep \(mark)"))
        let status = try await offload {
            let process = try SandboxProcess(plan)
            let signaller = process.signaller
            try process.forwardOutput { _, _ in signaller.kill() }
            return try process.wait()
        }
        #expect(status == .signaled(signal: SIGKILL))
        #expect(try !Host.isSleeping(mark))
    }
}
