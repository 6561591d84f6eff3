import Diagnostics
import Linux
import Testing
import Trees

/// Programs that run beside this one.
@Suite struct RemoteSourceProcessTests {
    private func run(_ script: String, onError: @escaping @Sendable ([UInt8]) -> Void = { _ in }) async throws
        -> ChildProcess.Outcome
    {
        try await offload {
            try ChildProcess("sh", ["-c", script], environment: ["PATH=/usr/bin:/bin", "A=b c"]).run(onError: onError)
        }
    }

    @Test("A program gets three descriptors and only the given variables")
    func surroundings() async throws {
        // No descriptors but the three, no input, no other variables.
        let outcome = try await run(
            "cat; for f in 0 1 2 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$f ] || echo $f; done; echo \"$A$HOME\"; "
                + "echo error >&2; exit 3")
        #expect(String(decoding: outcome.output, as: UTF8.self) == "0\n1\n2\nb c\n")
        #expect(String(decoding: outcome.errors, as: UTF8.self) == "error\n")
        #expect(outcome.status == 3)
    }

    @Test("A program ended by a signal has 128 and its number as status")
    func signal() async throws {
        #expect(try await run("kill -9 $$").status == 137)
    }

    @Test func largeOutputs() async throws {
        let outcome = try await run("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
        #expect(outcome.output.count == 3_000_000)
        #expect(outcome.errors.count == 16 << 10)
        await #expect(throws: LinuxError.self) { try await run("cat /dev/zero") }
    }

    @Test("A missing program is an error of its own")
    func missing() async throws {
        let error = await #expect(throws: LinuxError.self) {
            try await offload { try ChildProcess("/no/such/program", [], environment: []).run() }
        }
        #expect(error?.code == .notFound)
    }

    @Test("Killing a program ends its children too", .timeLimit(.minutes(10)), arguments: [true, false])
    func killing(_ isEarly: Bool) async throws {
        // The grandchild holds the pipes open: unless it ends too, this outlasts the time limit.
        let script = "sleep 1000 & echo up >&2; sleep 1000"
        let process = ChildProcess("sh", ["-c", script], environment: ["PATH=/usr/bin:/bin"])
        if isEarly { process.kill() }
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        async let outcome = offload { try process.run { _ in signal.yield() } }
        if !isEarly {
            for await _ in started { break }
            process.kill()
        }
        #expect(try await outcome.status == 137)
        #expect(process.isKilled)
    }
}
