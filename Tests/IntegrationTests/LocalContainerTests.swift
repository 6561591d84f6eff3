import Glibc
import SystemPackage
import Testing

/// `run -d` and the commands for containers, each with the built program.
@Suite("Containers", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct LocalContainerTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private static let loop = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"

    private func startLoop(_ name: String, _ options: String...) throws {
        try lamina.succeeding(["run", "-d", "--name", name] + options + ["lamina/base", "sh", "-c", Self.loop])
        try wait(for: "the command", until: { try lamina("logs", name).outputText == "up\n" })
    }

    private func status(_ name: String) throws -> String {
        try lamina.succeeding("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name).outputText
    }

    @Test func aCommandInTheForegroundLeavesItsContainer() throws {
        let run = try lamina(
            "run", "--name", "box", "-e", "A=b", "-l", "k=v", "lamina/base", "sh", "-c",
            "echo $A; echo err >&2; echo new > /new; rm /etc/passwd; exit 3")
        #expect(run.status == 3 && run.outputText == "b\n" && run.errorText == "err\n")
        #expect(try lamina("ps", "-q").outputText == "")
        let row = try lamina.succeeding("ps", "-a", "--format", "{{.Names}} {{.Image}} {{.State}} {{.Labels}}")
        #expect(row.outputText.hasPrefix("box lamina/base exited "), "\(row.outputText)")
        #expect(row.outputText.contains("k=v"))
        let logs = try lamina("logs", "box")
        #expect(logs.outputText == "b\n" && logs.errorText == "err\n")
        let diff = try lamina.succeeding("diff", "box").outputLines
        #expect(diff.contains("A /new") && diff.contains("D /etc/passwd") && diff.contains("C /etc"))
        #expect(try status("box") == "exited 3\n")
        #expect(try lamina.succeeding("wait", "box").outputText == "3\n")
        try lamina.succeeding("rm", "box")
        #expect(try lamina("ps", "-aq").outputText == "")
        #expect(try lamina.unfinished() == [])
    }

    @Test func aContainerRunsBesideItsCallerAndStops() throws {
        try startLoop("box")
        #expect(try lamina.succeeding("ps", "--format", "{{.Names}} {{.State}}").outputText == "box running\n")
        #expect(try lamina("run", "--name", "box", "lamina/base", "true").status == 125)
        let removed = try lamina("rm", "box")
        #expect(removed.status == 1 && removed.errorText.contains("stop the container before"))
        let waiting = try lamina.start(["wait", "box"])
        try lamina.succeeding("stop", "box")
        #expect(try waiting.wait(limit: .seconds(60)).outputText == "7\n")
        #expect(try status("box") == "exited 7\n")
        #expect(try lamina("logs", "--tail", "1", "box").outputText == "bye\n")
        // Started again, it has the files and the log of before.
        try lamina.succeeding("start", "box")
        try lamina.succeeding("exec", "box", "sh", "-c", "echo kept > /kept")
        try lamina.succeeding("kill", "box")
        #expect(try status("box") == "exited 137\n")
        try lamina.succeeding("cp", "box:/kept", scratch.path.appending("kept").string)
        #expect(try text(of: scratch.path.appending("kept")) == "kept\n")
        try lamina.succeeding("rm", "box")
    }

    @Test func aKilledSupervisorEndsItsContainer() throws {
        try startLoop("box")
        let process = try lamina.succeeding("inspect", "-f", "{{.State.Pid}}", "box").outputText
        let number = try #require(Int32(process.split(separator: "\n")[0]))
        let status = try text(of: FilePath("/proc/\(number)/stat"))
        let rest = status[try #require(status.lastIndex(of: ")"))...].split(separator: " ")
        let supervisor = try #require(Int32(rest[2]))
        #expect(kill(supervisor, SIGKILL) == 0)
        try wait(for: "the end of the command", until: { kill(number, 0) != 0 })
        // The command ends with the thread that has started it; others of the supervisor may have its lock a little longer.
        try wait(for: "the end of the supervisor", until: { try self.status("box") == "exited 137\n" })
        #expect(try lamina("exec", "box", "true").errorText.contains("is not running"))
        try lamina.succeeding("start", "box")
        try lamina.succeeding("rm", "-f", "box")
        #expect(try lamina("ps", "-aq").outputText == "")
    }

    @Test func otherCommandsRunInTheSameSandbox() throws {
        try startLoop("box", "-e", "A=container", "--tmpfs", "/memory", "--hostname", "inside")
        let exec = try lamina(
            "exec", "-e", "B=exec", "-u", "12:34", "-w", "/etc", "box", "sh", "-c",
            "echo $A $B; id -u; id -g; pwd; hostname; grep -c '/memory tmpfs' /proc/mounts; exit 9")
        #expect(exec.status == 9, "\(exec.errorText)")
        #expect(exec.outputLines == ["container exec", "12", "34", "/etc", "inside", "1"])
        let input = try scratch.write("one\ntwo\n", to: "input")
        #expect(try lamina("exec", "-i", "box", "cat", input: input).outputText == "one\ntwo\n")
        let terminal = try lamina("exec", "-t", "box", "sh", "-c", "echo out; echo err >&2; test -t 0 && tty")
        #expect(terminal.outputText == "out\r\nerr\r\n/dev/pts/0\r\n", "\(terminal.errorText)")
        #expect(try lamina("exec", "box", "nonesuch").status == 127)
        #expect(try lamina("exec", "box", "/etc").status == 126)
        // The wall is the one of the container's own command.
        let wall = "grep -E '^(CapEff|Seccomp|NoNewPrivs)' /proc/self/status"
        let own = try lamina.succeeding(
            "exec", "box", "sh", "-c", "grep -E '^(CapEff|Seccomp|NoNewPrivs)' /proc/2/status")
        #expect(try lamina.succeeding("exec", "box", "sh", "-c", wall).outputText == own.outputText)
        #expect(own.outputText.contains("Seccomp:\t2"))
        try lamina.succeeding("exec", "-d", "box", "sh", "-c", "echo detached > /done")
        try wait(for: "the command", until: { try lamina("exec", "box", "cat", "/done").outputText == "detached\n" })
        // With the container, all that runs in it ends.
        let last = try lamina.start(["exec", "box", "sleep", "112358"])
        try wait(for: "sleep", until: { try lamina("exec", "box", "ps").outputText.contains("112358") })
        try lamina.succeeding("rm", "-f", "box")
        #expect(try last.wait(limit: .seconds(60)).status == 137)
    }

    @Test(arguments: [false, true])
    func filesAreCopiedBothWays(_ isRunning: Bool) throws {
        if isRunning { try startLoop("box") } else { try lamina.succeeding("create", "--name", "box", "lamina/base") }
        let tree = scratch.path.appending("tree")
        try expectSuccess("mkdir", "-p", tree.appending("sub").string)
        _ = try scratch.write("a\n", to: "tree/a")
        _ = try scratch.write("b\n", to: "tree/sub/b")
        try expectSuccess("ln", "-s", "a", tree.appending("link").string)
        try expectSuccess("chown", "123:124", tree.appending("a").string)
        try lamina.succeeding("cp", tree.string, "box:/")
        try lamina.succeeding("cp", tree.string + "/.", "box:/contents")
        try lamina.succeeding("cp", "-a", tree.appending("a").string, "box:/owned")
        try lamina.succeeding("cp", "box:/tree", scratch.path.appending("back").string)
        #expect(
            try run("diff", "-r", "--no-dereference", tree.string, scratch.path.appending("back").string).status == 0)
        let archive = scratch.path.appending("archive").string
        let binary = try #require(Lamina.binary).string
        let listing = "\(binary) cp box:/$i - | tar tvf - --numeric-owner"
        let script = "for i in tree contents owned; do \(listing); done > \(archive)"
        try expectSuccess("sh", "-c", script, environment: ["LAMINA_ROOT": lamina.root.string])
        let list = try text(of: FilePath(archive))
        #expect(list.contains("contents/sub/b") && list.contains("tree/link -> a"))
        #expect(list.split(separator: "\n").contains { $0.contains("123/124") && $0.hasSuffix("owned") })
        #expect(list.split(separator: "\n").contains { $0.contains(" 0/0 ") && $0.hasSuffix(" tree/a") })
        let unpacking = "tar cf - -C \(tree.string) a | \(binary) cp - box:/contents"
        try expectSuccess("sh", "-c", unpacking, environment: ["LAMINA_ROOT": lamina.root.string])
        #expect(try lamina("cp", "box:/nonesuch", ".").errorText.contains("Could not find the file"))
        #expect(try lamina("cp", tree.string, "box:/no/such/place").status == 1)
        try lamina.succeeding("rm", "-f", "box")
    }

    @Test func aCommittedImageIsAsARunWouldHaveMadeIt() throws {
        let change =
            "mkdir /d && echo x > /d/x && rm -r /etc/passwd && ln /d/x /d/y && touch -d @1000000000 /d/x /d /etc"
        try lamina.succeeding("run", "--name", "box", "lamina/base", "sh", "-c", change)
        let committed = try lamina.succeeding(
            "commit", "-m", "why", "-a", "me", "-c", "ENV A=b", "-c", "CMD [\"cat\", \"/d/y\"]", "box", "made:1")
        #expect(committed.outputText.hasPrefix("sha256:"))
        let context = try scratch.context("FROM lamina/base\nRUN \(change)\n")
        try lamina.build(context, "-t", "built")
        let layers = try ["made:1", "built"].map {
            try lamina.succeeding("inspect", "-f", "{{json .RootFS.Layers}}", $0).trimmed
        }
        #expect(layers[0] == layers[1] && layers[0].contains(","))
        let config = try lamina.succeeding("inspect", "-f", "{{.Author}} {{.Comment}} {{json .Config.Cmd}}", "made:1")
        #expect(config.outputText == "me why [\"cat\",\"/d/y\"]\n")
        #expect(try lamina("run", "made:1").outputText == "x\n")
        #expect(try lamina("commit", "-c", "RUN true", "box").errorText.contains("no change that commit can make"))
    }

    @Test func whatAContainerUsesStays() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo 1 > /one\n")
        try lamina.build(context, "-t", "image")
        try lamina.succeeding("create", "--name", "box", "image", "cat", "/one")
        let refused = try lamina("rmi", "image")
        #expect(refused.status == 1 && refused.errorText.contains("is using its referenced image"))
        try lamina.succeeding("image", "prune", "-af")
        try lamina.succeeding("prune", "-af")
        try lamina.succeeding("rmi", "-f", "image")
        try lamina.succeeding("prune", "-af")
        #expect(try lamina.succeeding("start", "-a", "box").outputText == "1\n")
        try lamina.succeeding("rm", "box")
        try lamina.succeeding("prune", "-af")
        #expect(try lamina.succeeding("fsck").status == 0)
    }

    @Test func volumesAreSharedAndStay() throws {
        let context = try scratch.context("FROM lamina/base\nRUN mkdir /data && echo image > /data/file\n")
        try lamina.build(context, "-t", "image")
        let first = try lamina(
            "run", "-v", "shared:/data", "image", "sh", "-c", "cat /data/file; echo more > /data/file")
        #expect(first.outputText == "image\n", "\(first.errorText)")
        #expect(try lamina("run", "-v", "shared:/other:ro", "lamina/base", "cat", "/other/file").outputText == "more\n")
        #expect(try lamina.succeeding("volume", "ls", "-q").outputText == "shared\n")
        try lamina.succeeding("create", "--name", "box", "-v", "shared:/data", "image")
        #expect(try lamina("volume", "rm", "shared").status == 1)
        try lamina.succeeding("rm", "box")
        try lamina.succeeding("volume", "rm", "shared")
        #expect(try lamina("volume", "ls", "-q").outputText == "")
    }

    @Test func aContainerHasVolumesOfItsOwn() throws {
        let context = try scratch.context(
            "FROM lamina/base\nRUN mkdir /data && echo image > /data/file\nVOLUME /data /named\n")
        try lamina.build(context, "-t", "image")
        let change = "cat /data/file; echo more > /data/file; echo x > /named/x; echo y > /given/y"
        let first = try lamina(
            "run", "--name", "box", "-v", "named:/named", "-v", "/given", "image", "sh", "-c", change)
        #expect(first.outputText == "image\n", "\(first.errorText)")
        let volumes = try lamina.succeeding("volume", "ls", "-q").outputLines
        #expect(volumes.count == 3 && volumes.contains("named") && volumes.count { $0.count == 64 } == 2)
        let targets = try lamina.succeeding(
            "inspect", "-f", "{{range .Mounts}}{{.Type}}:{{.Destination}} {{end}}", "box")
        #expect(targets.trimmed == "volume:/named volume:/given volume:/data")
        // Started again it finds them; an image of it has none of their files, and neither has its archive.
        #expect(try lamina.succeeding("start", "-a", "box").outputText == "more\n")
        try lamina.succeeding("commit", "box", "made")
        #expect(try lamina.succeeding("cat", "made", "/data/file").outputText == "image\n")
        let archive = scratch.path.appending("box.tar").string
        try lamina.succeeding("export", "-o", archive, "box")
        let names = try expectSuccess("tar", "-tf", archive).outputLines
        #expect(names.contains("etc/group") && !names.contains { $0.hasPrefix("data/") || $0.hasPrefix("proc/") })
        let usage = try lamina.succeeding("df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}").outputLines
        #expect(usage.contains("Containers 1 0") && usage.contains("Local Volumes 3 3"), "\(usage)")

        // Without -v they stay, as with Docker, until they are pruned; volumes with a name are not.
        try lamina.succeeding("rm", "box")
        #expect(try lamina.succeeding("volume", "ls", "-q").outputLines.count == 3)
        try lamina.succeeding("volume", "prune", "-f")
        #expect(try lamina.succeeding("volume", "ls", "-q").outputLines == ["named"])
        try lamina.succeeding("create", "--name", "box", "image")
        try lamina.succeeding("start", "-a", "box")
        try lamina.succeeding("rm", "-v", "box")
        #expect(
            try lamina.succeeding("run", "--rm", "--name", "box", "-v", "/given", "image", "ls", "/given").status == 0)
        #expect(try lamina.succeeding("run", "-v", "/given", "image", "ls", "/given").status == 0)
        #expect(try lamina.succeeding("volume", "ls", "-q").outputLines == ["named"])
        try lamina.succeeding("volume", "prune", "-af")
        #expect(try lamina.succeeding("volume", "ls", "-q").outputText.isEmpty)
    }

    @Test func theLogIsFollowedToTheEnd() throws {
        let script = "for i in 1 2 3; do echo $i; sleep 0.1; done"
        try lamina.succeeding("run", "-d", "--name", "box", "lamina/base", "sh", "-c", script)
        #expect(try lamina.succeeding("logs", "-f", "box").outputText == "1\n2\n3\n")
        let times = try lamina.succeeding("logs", "-t", "box").outputLines
        #expect(times.count == 3 && times.allSatisfy { $0.contains("Z ") })
        #expect(try lamina("logs", "--since", "2099-01-01", "box").outputText == "")
        #expect(try lamina("logs", "nobody").status == 1)
    }

    @Test func aContainerThatRemovesItselfIsGoneAtItsEnd() throws {
        try lamina.succeeding("run", "-d", "--rm", "--name", "box", "lamina/base", "sleep", "0.1")
        try wait(for: "its end", until: { try lamina("ps", "-aq").outputText.isEmpty })
        let failed = try lamina("run", "-d", "--rm", "lamina/base", "nonesuch")
        #expect(failed.status == 127 && failed.errorText.contains("nonesuch"))
        #expect(try lamina("ps", "-aq").outputText == "")
    }

    @Test func theLastThatStopsSpellsDockersOneLiners() throws {
        try startLoop("one")
        try startLoop("two", "-l", "group=b")
        let binary = try #require(Lamina.binary).string
        let environment = ["LAMINA_ROOT": lamina.root.string]
        try expectSuccess(
            "sh", "-c", "\(binary) stop -t 0 $(\(binary) ps -q --filter label=group=b)", environment: environment)
        #expect(try lamina("ps", "--format", "{{.Names}}").outputText == "one\n")
        try expectSuccess("sh", "-c", "\(binary) ps -aq | xargs \(binary) rm -f", environment: environment)
        #expect(try lamina("container", "ls", "-aq").outputText == "")
    }

    @Test func whereFilesAreCopiedNoContainerIsKept() throws {
        let chroot = lamina.with(isolation: "chroot")
        let refused = try chroot("run", "--name", "box", "lamina/base", "true")
        #expect(refused.status == 125 && refused.errorText.contains("no container can be kept here"))
        #expect(try chroot("run", "lamina/base", "echo", "plain").outputText == "plain\n")
        #expect(try lamina("ps", "-aq").outputText == "")
    }
}

@Suite("Containers without root", .enabled(if: Machine.hasPlainUsers, Machine.needsPlainUsers))
struct RootlessContainerTests {
    @Test func aUserHasContainersToo() throws {
        let user = try PlainUser()
        let script = "echo up; sleep 1000"
        try user.succeeding(["lamina", "run", "-d", "--name", "box", "lamina/base", "sh", "-c", script])
        try wait(for: "the command", until: { try user("lamina", "logs", "box").outputText == "up\n" })
        #expect(try user("lamina", "exec", "box", "id", "-u").outputText == "0\n")
        #expect(try user("lamina", "exec", "-u", "33", "box", "id", "-u").outputText == "33\n")
        try user.succeeding(["lamina", "exec", "-u", "33", "box", "sh", "-c", "echo x > /tmp/made"])
        try user.succeeding(["lamina", "cp", "box:/tmp/made", "\(user.path)/home/"])
        #expect(try user.succeeding(["lamina", "commit", "box", "made"]).outputText.hasPrefix("sha256:"))
        #expect(try user("lamina", "ps", "--format", "{{.Names}}").outputText == "box\n")
        try user.succeeding(["lamina", "stop", "-t", "0", "box"])
        try user.succeeding(["lamina", "cp", "box:/tmp/made", "\(user.path)/home/again"])
        try user.succeeding(["lamina", "rm", "box"])
        #expect(try user("lamina", "ps", "-aq").outputText == "")
        #expect(try user("lamina", "run", "made", "stat", "-c", "%u", "/tmp/made").outputText == "33\n")
    }
}
