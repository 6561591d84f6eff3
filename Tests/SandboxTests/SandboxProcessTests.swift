import Diagnostics
import Glibc
import Linux
import Sandbox
import SystemPackage
import Testing

@Suite(.tags(.root), .enabled(if: Host.canSandbox, "needs root, namespaces and /bin/busybox"))
struct SandboxProcessTests {
    @Test(arguments: [0, 1, 42, 127, 255])
    func reportsExitCode(_ code: Int32) throws {
        let fixture = try Fixture()
        #expect(try run(fixture.shell("exit \(code)")).status == .exited(code: code))
    }

    @Test func keepsStreamsApart() throws {
        let fixture = try Fixture()
        let outcome = try run(fixture.shell("printf out; printf err >&2"))
        #expect(outcome.text == "out")
        #expect(outcome.errors == Array("err".utf8))
        #expect(outcome.status.isSuccess)
    }

    @Test func forwardsMoreThanAPipeHolds() throws {
        let fixture = try Fixture()
        let outcome = try run(fixture.shell("seq 1 300000; seq 1 300000 >&2; printf end"))
        let expected = (1...300_000).map { "\($0)\n" }.joined()
        #expect(outcome.output == Array((expected + "end").utf8))
        #expect(outcome.errors == Array(expected.utf8))
    }

    @Test func findsEndOfInput() throws {
        let fixture = try Fixture()
        #expect(try run(fixture.shell("cat; echo $?")).text == "0\n")
    }

    @Test func reportsSignal() throws {
        let fixture = try Fixture()
        // A signal it does not handle does not reach process 1 from inside, so its child reports one, and it the code.
        #expect(try run(fixture.shell("sh -c 'kill -TERM $$'; echo $?")).text == "143\n")
        let process = try SandboxProcess(try SandboxPlan(fixture.spec("/bin/sleep", "100")))
        process.signaller.kill()
        try process.forwardOutput { _, _ in }
        #expect(try process.wait() == .signaled(signal: SIGKILL))
    }

    @Test func isKilledFromAnotherThread() async throws {
        let fixture = try Fixture()
        let plan = try SandboxPlan(fixture.spec("/bin/sleep", "100"))
        let (stream, continuation) = AsyncStream.makeStream(of: SandboxSignaller.self)
        async let status = offload {
            let process = try SandboxProcess(plan)
            continuation.yield(process.signaller)
            try process.forwardOutput { _, _ in }
            return try process.wait()
        }
        for await signaller in stream {
            signaller.kill()
            break
        }
        #expect(try await status == .signaled(signal: SIGKILL))
    }

    @Test func endsWhatRunsInTheBackground() throws {
        let fixture = try Fixture()
        let seconds = Host.uniqueSeconds()
        let outcome = try run(fixture.shell("sleep \(seconds) & echo started"))
        #expect(outcome.text == "started\n")
        #expect(try !Host.isSleeping(seconds))
    }

    @Test func leavesNothingBehindWhenDropped() throws {
        let fixture = try Fixture()
        let seconds = Host.uniqueSeconds()
        do {
            let process = try SandboxProcess(try SandboxPlan(fixture.shell("sleep \(seconds) & sleep \(seconds)")))
            _ = process.signaller
        }
        #expect(try !Host.isSleeping(seconds))
        #expect(try !readText("/proc/self/mountinfo").contains(fixture.path.string))
        #expect(try fixture.tree(fixture.scratch) == [])
    }

    @Test(arguments: [
        ("/bin/nosuch", SandboxCode.commandNotFound), ("nosuch", .commandNotFound),
        ("/etc/passwd", .commandNotExecutable), ("plain", .commandNotExecutable), ("/bin/script", .commandNotFound),
        ("/etc", .commandNotExecutable),
        ("/bin/sh/x", .commandNotFound),
    ])
    func reportsWhatCannotBeExecuted(_ command: String, _ code: SandboxCode) throws {
        let fixture = try Fixture()
        try fixture.write("lower/bin/plain", Array("x".utf8))
        try fixture.write("lower/bin/script", Array("#!/bin/missing\n".utf8), permissions: 0o755)
        let error = #expect(throws: SandboxError.self) { try run(fixture.spec(command)) }
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.message.contains("'\(command)'") == true)
    }

    /// Only a file without the permission is said to lack it.
    @Test(
        arguments: [
            ("/bin/loop", "'/bin/loop' cannot be executed: its symbolic links lead in a circle", nil),
            (
                "/bin/script", "the interpreter of '/bin/script' was not found in the image",
                "Install the interpreter or loader that the file names."
            ),
            (
                "/bin/circle", "'/bin/circle' cannot be executed: its symbolic links lead in a circle", nil
            ),
            ("/bin/plain", "'/bin/plain' may not be executed", "Make it executable, for instance with 'chmod +x'."),
        ] as [(String, String, String?)])
    func saysWhyItCannotBeExecuted(_ command: String, _ message: String, _ hint: String?) throws {
        let fixture = try Fixture()
        let directory = try Directory(opening: fixture.path)
        try fixture.write("lower/bin/plain", Array("x".utf8))
        try fixture.write("lower/bin/script", Array("#!/bin/missing\n".utf8), permissions: 0o755)
        try directory.makeSymlink("lower/bin/loop", to: "loop")
        try directory.makeSymlink("lower/bin/circle", to: "/bin/loop")
        let error = #expect(throws: SandboxError.self) { try run(fixture.spec(command)) }
        #expect(error?.message == message)
        #expect(error?.hint == hint)
    }

    @Test func namesTheStepThatFails() throws {
        let fixture = try Fixture()
        var spec = fixture.spec("/bin/true")
        spec.mounts = [SandboxMount(target: "/x", source: .bind("/nonexistent"), isReadOnly: true)]
        let error = #expect(throws: SandboxError.self) { try run(spec) }
        #expect(error?.message.hasPrefix("cannot take /nonexistent as #") == true, "\(String(describing: error))")
        #expect(error?.cause as? Errno == .noSuchFileOrDirectory)
    }

    @Test func searchesPath() throws {
        let fixture = try Fixture()
        var spec = fixture.spec("id", "-u")
        #expect(try run(spec).text == "0\n")
        spec.environment = ["PATH=/etc:/nowhere"]
        #expect(throws: SandboxError.self) { try run(spec) }
        spec.environment = []
        #expect(try run(spec).text == "0\n")
    }

    @Test func givesExactlyTheEnvironment() throws {
        let fixture = try Fixture()
        var spec = fixture.spec("/bin/cat", "/proc/self/environ")
        spec.environment = ["A=1", "B=é", "C="]
        #expect(try run(spec).text == "A=1\0B=é\0C=\0")
    }
}
