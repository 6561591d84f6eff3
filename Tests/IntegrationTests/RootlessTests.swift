import Glibc
import SystemPackage
import Testing

/// Builds of a user who is not root.
@Suite(.enabled(if: Machine.hasPlainUsers, Machine.needsPlainUsers))
struct RootlessTests {
    @Test func runsAsRootOfItsOwn() throws {
        let user = try PlainUser()
        let context = try user.context("FROM lamina/base\nRUN id -u && cat /proc/self/uid_map && chown 33:44 /etc\n")
        let finished = try user("lamina", "build", "--progress=plain", context.string)
        #expect(finished.status == 0, "\(finished.errorText)")
        let output = finished.errorLines.map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") }
        #expect(output.contains("0 \(PlainUser.number) 1") && output.contains("1 200000 65536"))
        #expect(try !user.foreignFiles(in: user.store).isEmpty)
    }

    /// The kernel gives one page to each further pipe of a user who has many.
    @Test func doesNotWaitForPipesToBeLarge() throws {
        let script = """
            import os, resource, subprocess, sys
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            held = [os.pipe() for _ in range(min(1200, (hard - 20) // 2))]
            sys.exit(subprocess.run(sys.argv[1:], timeout=120).returncode)
            """
        let user = try PlainUser()
        let program = user.path.appending("lamina").string
        try user.succeeding(["python3", "-c", script, program, "run", "lamina/base", "true"])
    }

    @Test func saysSoInDoctor() throws {
        let lines = try PlainUser()("lamina", "doctor").outputLines
        #expect(lines.contains { $0.hasPrefix("RUN would use: rootless") })
        #expect(lines.contains { $0.contains("subuid") && $0.contains("200000-265535") })
    }

    @Test func removesAllThatItMade() throws {
        let user = try PlainUser()
        let context = try user.context(
            """
            FROM lamina/base
            RUN mkdir -m 700 /locked /locked/in && chown -R 33:44 /locked && mkdir -m 0 /closed && chown 5 /closed
            RUN --mount=type=cache,target=/cache,uid=12 touch /cache/x && chown 13 /cache/x

            """)
        try user.succeeding(["lamina", "build", "-t", "a", context.string])
        #expect(try user.foreignFiles(in: user.store).count > 3)
        try user.succeeding(["lamina", "rmi", "-f", "a", "lamina/base"])
        try user.succeeding(["lamina", "prune", "-a", "-f"])
        #expect(try user.foreignFiles(in: user.store) == [])
        for folder in ["snapshots", "blobs/sha256"] {
            #expect(try expectSuccess("ls", user.store.appending(folder).string).outputLines == [])
        }
    }

    /// A saved image has the owners of the commands, read in a process of its own.
    @Test func savesOwners() throws {
        let user = try PlainUser()
        let context = try user.context("FROM lamina/base\nRUN touch /f && chown 33:44 /f && chmod 600 /f\n")
        try user.succeeding(["lamina", "build", "-t", "a", context.string])
        let archive = user.path.appending("home/a.tar").string
        try user.succeeding(["lamina", "save", "-o", archive, "a"])
        #expect(try Self.members(of: archive).contains { $0.hasPrefix("-rw------- 33/44 ") })
    }

    /// The members of a saved image's layers, as tar lists them.
    private static func members(of archive: String) throws -> [String] {
        let script = """
            cd "$1"; tar xf "$0"
            for file in blobs/*/*; do tar tvf $file --numeric-owner 2>/dev/null || true; done
            """
        let scratch = try Scratch()
        return try expectSuccess("sh", "-ec", script, archive, scratch.path.string).outputLines
    }

    @Test func endsWithItsCommands() throws {
        let user = try PlainUser()
        let marker = endlessSleep()
        let context = try user.context("FROM lamina/base\nRUN \(marker)\n")
        let build = try user.start(["lamina", "build", "--progress=plain", context.string])
        func isRunning() throws -> Bool { try run("pgrep", "-fx", marker).status == 0 }
        try wait(for: "the command's start", until: isRunning)
        build.send(SIGINT)
        #expect(try build.wait().status == 130)
        #expect(try !isRunning())
        let snapshots = try expectSuccess("ls", user.store.appending("snapshots").string).outputLines
        #expect(snapshots.allSatisfy { Int($0) != nil })
    }

    /// A command that only the base image knows of makes the build begin again.
    @Test func runsCommandsOfTheBase() throws {
        let user = try PlainUser()
        let base = try user.context("FROM lamina/base\nONBUILD RUN touch /made && chown 5 /made\n", named: "base")
        try user.succeeding(["lamina", "build", "-t", "base", base.string])
        #expect(try user.foreignFiles(in: user.store) == [])
        let context = try user.context("FROM base\n", named: "child")
        try user.succeeding(["lamina", "build", context.string])
        #expect(try user.foreignFiles(in: user.store).count == 1)
    }

    /// The program begins again before it reads anything, also for a command that only the base image has.
    @Test(arguments: ["FROM lamina/base\nARG A\nRUN echo got-$A\n", "FROM base\nARG A\nLABEL got=$A\n"])
    func readsPipesOfTheCommandLineOnce(_ dockerfile: String) throws {
        let user = try PlainUser()
        let base = try user.context("FROM lamina/base\nONBUILD ARG A\nONBUILD RUN echo got-$A\n", named: "base")
        try user.succeeding(["lamina", "build", "-t", "base", base.string])
        let context = try user.context(dockerfile)
        let script = #"""
            exec "$0" build --progress plain --build-arg-file <(printf A=1) "$1"
            """#
        let build = try user("bash", "-ec", script, user.path.appending("lamina").string, context.string)
        #expect(build.status == 0, "\(build.errorText)")
        #expect(build.errorText.contains(" got-1\n"), "\(build.errorText)")
    }

    @Test func needsNoNamespaceWithoutCommands() throws {
        let user = try PlainUser()
        let context = try user.context(
            "FROM lamina/base AS a\nCOPY --chown=5:6 Dockerfile /d/\nFROM a\nCOPY --from=a /d /e\n")
        // In here, no further user namespace can be made.
        let locked = [
            "unshare", "--user", "--map-root-user", "sh", "-ec",
            "echo 0 >/proc/sys/user/max_user_namespaces; "
                + "exec setpriv --bounding-set=-all --inh-caps=-all -- \"$0\" \"$@\"",
        ]
        let lamina = user.path.appending("lamina").string
        try user.succeeding(locked + [lamina, "build", context.string])
        #expect(try user.foreignFiles(in: user.store) == [])
    }

    // MARK: Without subordinate numbers

    @Test func buildsWithOneNumber() throws {
        let user = try PlainUser(.none)
        let context = try user.context(
            """
            FROM lamina/base AS a
            COPY --chown=33:44 Dockerfile /theirs
            RUN touch /mine && chmod 640 /theirs && ls -ln /theirs
            FROM a
            RUN rm /mine && echo more >>/theirs && cat /etc/passwd >/dev/null

            """)
        try user.succeeding(["lamina", "build", "-t", "a", context.string])
        #expect(try user.foreignFiles(in: user.store) == [])
        let archive = user.path.appending("home/a.tar").string
        try user.succeeding(["lamina", "save", "-o", archive, "a"])
        let members = try Self.members(of: archive)
        // What a command changed belongs to whom it did, though the file system could not say so.
        #expect(members.count { $0.contains(" 33/44 ") && $0.hasSuffix(" theirs") } == 3)
        #expect(members.contains { $0.contains(" 0/0 ") && $0.hasSuffix(" mine") })
    }

    @Test(arguments: ["RUN chown 33 /etc/passwd", "USER 33\nRUN true"])
    func saysWhatOneNumberCannotDo(_ instruction: String) throws {
        let user = try PlainUser(.none)
        let context = try user.context("FROM lamina/base\n\(instruction)\n")
        let finished = try user("lamina", "build", context.string)
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("usermod --add-subuids"))
    }
}
