import SystemPackage
import Testing

/// `lamina run`: Docker's meaning of what it is given, and how the command and lamina end.
@Suite("Running", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct RunCommandTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private func image(_ dockerfile: String) throws {
        let context = try scratch.context(dockerfile)
        try lamina.build(context, "-t", "image")
    }

    @Test func commandReplacesTheImagesArguments() throws {
        try image("FROM lamina/base\nENTRYPOINT [\"echo\", \"entry\"]\nCMD [\"default\"]\n")
        #expect(try lamina("run", "image").outputText == "entry default\n")
        #expect(try lamina("run", "image", "a", "--help", "-it").outputText == "entry a --help -it\n")
        #expect(try lamina("run", "--entrypoint", "printf", "image", "%s.", "x", "y").outputText == "x.y.")
        #expect(try lamina("run", "--entrypoint", "", "image", "echo", "plain").outputText == "plain\n")
        let empty = try lamina("run", "--entrypoint", "", "image")
        #expect(empty.status == 125 && empty.errorText.contains("no command to run"), "\(empty.errorText)")
    }

    @Test func processIsWhatImageAndOptionsSay() throws {
        try image(
            """
            FROM lamina/base
            RUN echo 'app:x:1234:1300:App:/srv/app:/bin/sh' >> /etc/passwd && \\
                echo 'app:x:1300:' >> /etc/group && echo 'extra:x:1301:app' >> /etc/group
            ENV A=image B=image
            WORKDIR /work
            USER app

            """)
        let variables = try scratch.write("# comment\nC=file\n  D=file\nSET_HERE\nNOT_SET_ANYWHERE\n", to: "env")
        let script = "id; pwd; hostname; env | grep -E '^(.|HOME|SET_HERE|NOT_SET_ANYWHERE|HOSTNAME)=' | sort"
        let run = try lamina.with(["SET_HERE": "yes"])(
            "run", "--rm", "-e", "B=option", "--env", "D=option", "--env-file", variables.string, "--hostname", "box",
            "image", "sh", "-c", script)
        #expect(
            run.outputLines == [
                "uid=1234(app) gid=1300(app) groups=1300(app),1301(extra)", "/work", "box", "A=image", "B=option",
                "C=file", "D=option", "HOME=/srv/app", "HOSTNAME=box", "SET_HERE=yes",
            ], "\(run.outputText) \(run.errorText)")
        let other = try lamina("run", "-u", "0:7", "-w", "/new", "image", "sh", "-c", "id -u; id -g; pwd; echo $HOME")
        #expect(other.outputLines == ["0", "7", "/new", "/root"])
    }

    private static let endings: [([String], Int32)] = [
        (["lamina/base", "sh", "-c", "exit 7"], 7),
        (["lamina/base", "sh", "-c", "kill -9 $$"], 137),
        (["lamina/base", "nonesuch"], 127),
        (["lamina/base", "/nonesuch"], 127),
        (["lamina/base", "/etc/passwd"], 126),
        (["lamina/base", "/etc"], 126),
        (["-u", "nonesuch", "lamina/base", "true"], 125),
        (["-w", "relative", "lamina/base", "true"], 125),
        (["No/Such/Image", "true"], 125),
        (["-it", "lamina/base", "true"], 1),
        (["--restart", "always", "lamina/base", "true"], 2),
        (["--nonesuch", "lamina/base", "true"], 2),
    ]

    @Test(arguments: endings)
    func exitStatusSaysWhoFailed(_ arguments: [String], _ status: Int32) throws {
        let run = try lamina.start(["run"] + arguments).wait()
        #expect(run.status == status, "\(run.errorText)")
        #expect(status < 125 || status == 137 || run.errorText.contains("lamina: "))
    }

    @Test func inputAndOutputsAreTheCommands() throws {
        let input = try scratch.write("one\ntwo\n", to: "input")
        let cat = try lamina("run", "-i", "lamina/base", "sh", "-c", "cat; echo done >&2", input: input)
        #expect(cat.outputText == "one\ntwo\n" && cat.errorText == "done\n")
        #expect(try lamina("run", "lamina/base", "cat", input: input).outputText == "")
        // Who stops reading ends the command too.
        let binary = try #require(Lamina.binary).string
        let script = "timeout 60 \(binary) run lamina/base yes | head -n 2"
        #expect(try run("sh", "-c", script, environment: ["LAMINA_ROOT": lamina.root.string]).outputText == "y\ny\n")
        // An output that cannot be written is not taken for one that nobody reads.
        for name in [[], ["--name", "full"]] {
            let command = (["run"] + name + ["lamina/base", "yes"]).joined(separator: " ")
            let full = try run(
                "sh", "-c", "\(binary) \(command) > /dev/full", environment: ["LAMINA_ROOT": lamina.root.string])
            #expect(full.status == 125, "\(full.errorText)")
            #expect(full.errorText.contains("cannot write 'the standard output': No space left on device"))
        }
    }

    @Test func nothingIsKept() throws {
        try image("FROM lamina/base\nRUN echo 1 > /file\n")
        let before = try lamina.state()
        #expect(try lamina("run", "image", "sh", "-c", "echo 2 > /file; rm -r /etc; cat /file").outputText == "2\n")
        #expect(try lamina("run", "image", "sh", "-c", "cat /file; ls -d /etc").outputText == "1\n/etc\n")
        #expect(try lamina.state() == before)
        #expect(try lamina.unfinished() == [])
        let refused = try lamina(
            "run", "--read-only", "image", "sh", "-c", "echo 2 > /file; echo 3 > /dev/shm/x && cat /dev/shm/x /file")
        #expect(refused.outputText == "3\n1\n" && refused.errorText.contains("Read-only"))
    }

    @Test(arguments: [("INT", 130), ("TERM", 143), ("HUP", 129), ("USR1", 138)])
    func signalsReachTheCommand(_ signal: String, _ status: Int32) throws {
        // A command that handles nothing ends, as it would outside.
        let plain = try lamina.start(["run", "lamina/base", "sh", "-c", "echo up >&2; exec sleep 112358"])
        try wait(until: { try plain.errorsSoFar().contains("up\n") })
        try expectSuccess("kill", "-\(signal)", String(plain.id))
        #expect(try plain.wait(limit: .seconds(30)).status == status)
        let script = "trap 'echo got; exit 5' \(signal); echo up >&2; while :; do sleep 0.05; done"
        let handling = try lamina.start(["run", "lamina/base", "sh", "-c", script])
        try wait(until: { try handling.errorsSoFar().contains("up\n") })
        try expectSuccess("kill", "-\(signal)", String(handling.id))
        let finished = try handling.wait(limit: .seconds(30))
        #expect(finished.status == 5 && finished.outputText == "got\n")
    }

    @Test func initReapsAndEverythingEndsWithTheCommand() throws {
        let marker = endlessSleep()
        // A process that has ended and was not waited for stays in /proc, so the loop ends only if the init reaps.
        let script = """
            (/bin/sleep 0.01 & /bin/sleep 0.02 & /bin/sleep 0.03 &)
            n=0; while [ $n -lt 600 ] && cat /proc/[0-9]*/stat | grep -q '(sleep)'; do n=$((n + 1)); sleep 0.05; done
            [ $n -lt 600 ] && echo reaped; cat /proc/1/comm
            \(marker) & exit 0
            """
        let run = try lamina("run", "lamina/base", "sh", "-c", script)
        #expect(["memfd:init", "init"].contains(run.outputLines.last) && run.outputLines.first == "reaped")
        try lamina.expectNothingLeft(process: marker)
    }

    @Test(.enabled(if: Machine.has("script"), "needs script(1)"))
    func terminalIsTheCommandsAndIsRestored() throws {
        let binary = try #require(Lamina.binary).string
        let inner = "tty; stty size </dev/tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; exit 3"
        let script = """
            stty cols 97 rows 31; before=$(stty -g)
            \(binary) run -it lamina/base sh -c '\(inner)'; echo status $?
            \(binary) run -it lamina/base sh -c 'kill -9 $$'; echo status $?
            \(binary) run -it lamina/base nonesuch; echo status $?
            [ "$(stty -g)" = "$before" ] && echo restored
            """
        let session = try run(
            "script", "-qec", script, "/dev/null", environment: ["LAMINA_ROOT": lamina.root.string, "SHELL": "/bin/sh"])
        let lines = session.outputText.withoutReturns.lines
        for line in ["/dev/pts/0", "31 97", "all", "status 3", "status 137", "status 127", "restored"] {
            #expect(lines.contains { $0.hasSuffix(line) }, "\(line) is missing in \(lines)")
        }
    }

    @Test func killedRunLeavesNothing() throws {
        let marker = endlessSleep()
        let run = try lamina.start(["run", "lamina/base", "sh", "-c", "echo up >&2; \(marker) & \(marker)"])
        try wait(until: { try run.errorsSoFar().contains("up\n") })
        run.send(9)
        _ = try run.wait(limit: .seconds(30))
        // The next one removes what a killed one could not.
        try lamina.succeeding("run", "lamina/base", "true")
        try lamina.expectNothingLeft(process: marker)
    }
}
