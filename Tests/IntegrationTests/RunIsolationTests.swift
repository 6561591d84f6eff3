import Glibc
import SystemPackage
import Testing

/// `lamina run` where it is not root with namespaces: what works everywhere, and what is refused.
@Suite("Running on every mode", .enabled(if: Machine.hasPlainUsers, Machine.needsPlainUsers))
struct RunIsolationTests {
    enum Runner: String, CaseIterable, Sendable {
        case rootInUserNamespace = "root, rootless"
        case plainUser = "rootless"
        case chroot = "root, chroot"
    }

    private let scratch: Scratch
    private let user: PlainUser

    init() throws {
        scratch = try Scratch()
        try expectSuccess("chmod", "755", scratch.path.string)
        user = try PlainUser()
    }

    private func lamina(_ runner: Runner) -> Lamina {
        Lamina(root: scratch.path.appending("store")).with(isolation: runner == .chroot ? "chroot" : "rootless")
    }

    private func start(_ runner: Runner, _ arguments: [String], input: FilePath = "/dev/null") throws -> RunningProcess
    {
        switch runner {
        case .plainUser: try user.start(["lamina", "run"] + arguments, input: input)
        case .rootInUserNamespace, .chroot: try lamina(runner).start(["run"] + arguments, input: input)
        }
    }

    @Test(arguments: Runner.allCases) func processIsWhatTheOptionsSay(_ runner: Runner) throws {
        let script = "id -u; id -g; pwd; stat -c %u:%g .; echo $A $HOSTNAME; id -G"
        let finished = try start(
            runner, ["-e", "A=1", "-w", "/new", "-u", "5:6", "--hostname", "box", "lamina/base", "sh", "-c", script]
        ).wait()
        #expect(finished.outputLines == ["5", "6", "/new", "5:6", "1 box", "6"], "\(finished.errorText)")
        let entry = try start(runner, ["--entrypoint", "printf", "lamina/base", "%s.", "x", "--pull"]).wait()
        #expect(entry.outputText == "x.--pull.")
    }

    private static let endings: [([String], Int32)] = [
        (["lamina/base", "sh", "-c", "exit 7"], 7), (["lamina/base", "sh", "-c", "kill -9 $$"], 137),
        (["lamina/base", "nonesuch"], 127), (["lamina/base", "/etc/passwd"], 126),
        (["-u", "nonesuch", "lamina/base", "true"], 125), (["-it", "lamina/base", "true"], 1),
    ]

    @Test(arguments: Runner.allCases) func exitStatusSaysWhoFailed(_ runner: Runner) throws {
        for (arguments, status) in Self.endings {
            let finished = try start(runner, arguments).wait()
            #expect(finished.status == status, "\(arguments): \(finished.errorText)")
        }
    }

    @Test(arguments: Runner.allCases) func inputAndOutputsAreTheCommands(_ runner: Runner) throws {
        let input = try scratch.write("one\n", to: "input")
        let script = "cat; echo two > /dev/stdout; echo three > /dev/stderr"
        let finished = try start(runner, ["-i", "lamina/base", "sh", "-c", script], input: input).wait()
        #expect(finished.outputText == "one\ntwo\n" && finished.errorText == "three\n")
    }

    @Test(arguments: Runner.allCases) func signalsReachTheCommand(_ runner: Runner) throws {
        let plain = try start(runner, ["lamina/base", "sh", "-c", "echo up >&2; exec sleep 112358"])
        try wait(until: { try plain.errorsSoFar().contains("up\n") })
        plain.send(SIGINT)
        #expect(try plain.wait(limit: .seconds(30)).status == 130)
        let script = "trap 'echo got; exit 5' TERM; echo up >&2; while :; do sleep 0.05; done"
        let handling = try start(runner, ["lamina/base", "sh", "-c", script])
        try wait(until: { try handling.errorsSoFar().contains("up\n") })
        handling.send(SIGTERM)
        let finished = try handling.wait(limit: .seconds(30))
        #expect(finished.status == 5 && finished.outputText == "got\n")
    }

    @Test(arguments: Runner.allCases) func nothingIsKept(_ runner: Runner) throws {
        let script = "rmdir /home; echo x > /x; ls -d /home /x"
        for _ in 1...2 {
            let finished = try start(runner, ["lamina/base", "sh", "-c", "ls -d /home; \(script)"]).wait()
            #expect(finished.outputLines == ["/home", "/x"], "\(finished.errorText)")
        }
    }

    @Test(arguments: Runner.allCases) func volumesAreSeen(_ runner: Runner) throws {
        let volume = scratch.path.appending("volume")
        try scratch.write("here\n", to: "volume/f")
        try expectSuccess("chown", "-R", runner == .plainUser ? "\(PlainUser.number)" : "0", volume.string)
        let reading = try start(runner, ["-v", "\(volume):/v:ro", "lamina/base", "cat", "/v/f"]).wait()
        #expect(reading.outputText == "here\n", "\(reading.errorText)")
        let script = "echo new > /v/g"
        let writing = try start(runner, ["-v", "\(volume):/v", "lamina/base", "sh", "-c", script]).wait()
        if runner == .chroot {
            #expect(writing.status == 125 && writing.errorText.contains("cannot be mounted in a changed root"))
        } else {
            #expect(try writing.status == 0 && text(of: volume.appending("g")) == "new\n", "\(writing.errorText)")
        }
    }

    @Test(arguments: [Runner.rootInUserNamespace, .plainUser]) func networkCanBeNone(_ runner: Runner) throws {
        let finished = try start(runner, ["--network", "none", "lamina/base", "ls", "/sys/class/net"]).wait()
        #expect(finished.outputLines == ["lo"], "\(finished.errorText)")
    }

    private static let refused: [([String], String)] = [
        (["--network", "none"], "has the network of the builder"),
        (["--network", "private"], "has the network of the builder"),
        (["--read-only"], "cannot have a root that is read-only"), (["-t"], "cannot have a terminal"),
        (["--device", "/dev/null"], "cannot have devices of the host"),
        (["--shm-size", "1m"], "cannot have a /dev/shm of a certain size"),
    ]

    @Test(arguments: refused) func chrootRefuses(_ options: [String], _ message: String) throws {
        let finished = try start(.chroot, options + ["lamina/base", "true"]).wait()
        #expect(finished.status == 125)
        let lines = finished.errorLines
        #expect(lines.first == "lamina: a command in a changed root \(message)", "\(finished.errorText)")
        #expect(lines.count == 2 && lines.last?.hasPrefix("hint: ") == true)
    }

    @Test(.enabled(if: Machine.has("script"), "needs script(1)"), arguments: [Runner.rootInUserNamespace, .plainUser])
    func terminalIsTheCommands(_ runner: Runner) throws {
        let binary = try #require(Lamina.binary).string
        let program = runner == .plainUser ? user.path.appending("lamina").string : binary
        let script = """
            stty cols 97 rows 31; before=$(stty -g)
            \(program) run -it lamina/base sh -c 'tty; stty size </dev/tty; [ -t 0 ] && echo all; exit 3'; echo status $?
            [ "$(stty -g)" = "$before" ] && echo restored
            """
        let command = ["env", "SHELL=/bin/sh", "script", "-qec", script, "/dev/null"]
        let finished =
            runner == .plainUser
            ? try user.start(command).wait()
            : try RunningProcess(
                command,
                environment: lamina(runner).environment.merging(["LAMINA_ROOT": lamina(runner).root.string]) { $1 }
            ).wait()
        let lines = finished.outputText.withoutReturns.lines
        for line in ["/dev/pts/0", "31 97", "all", "status 3", "restored"] {
            #expect(lines.contains { $0.hasSuffix(line) }, "\(line) is missing in \(lines)")
        }
    }
}

/// When `lamina run` asks the registry.
@Suite("Pulling to run", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct RunPullTests {
    @Test func asksAsThePolicySays() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let other = Lamina(root: scratch.path.appending("other"))
        var name = ""
        func push(_ text: String) throws {
            let context = try scratch.context("FROM lamina/base\nCMD [\"echo\", \"\(text)\"]\n")
            try other.build(context, "-t", name)
            try other.succeeding("push", name)
        }
        func said(_ policy: String) throws -> String {
            try lamina("run", "--pull", policy, name).outputText.trimmed
        }
        try DockerRegistry.with(in: scratch) { registry in
            name = "\(registry.name)/app:1"
            try push("old")
            let refused = try lamina("run", "--pull=never", name)
            #expect(refused.status == 125 && refused.errorText.contains("--pull=never forbids"))
            #expect(try said("missing") == "old")
            try push("new")
            #expect(try said("missing") == "old")
            #expect(try said("never") == "old")
            #expect(try said("newer") == "new")
            try push("newest")
            #expect(try said("always") == "newest")
        }
        // The registry is gone.
        #expect(try said("newer") == "newest")
        #expect(try lamina("run", "--pull=always", name).status == 125)
        let unknown = try lamina("run", "--pull=often", name)
        #expect(unknown.status == 2 && unknown.errorText.contains("invalid pull policy 'often'"))
    }
}
