import Glibc
import SystemPackage
import Testing

/// Dockerfiles, archives and base images that try to write or read outside: each either fails with a sentence or has the
/// same effect inside, and the directory outside stays as it was.
@Suite(
    "A hostile file", .enabled(if: Machine.isRoot && Machine.has("python3"), "needs root and python3"))
struct HostileFileTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// `OUT` stands for the directory outside.
        let dockerfile: String
        /// Text of the error; `nil` when the build succeeds.
        var error: String?
        /// The files of the image, as `/path` lines of a listing.
        var file: String?
    }

    private static func add(_ archive: String, error: String? = nil, file: String? = nil) -> Case {
        Case(
            testDescription: "ADD \(archive).tar", dockerfile: "FROM lamina/base\nADD \(archive).tar /\n", error: error,
            file: file)
    }

    private static func image(_ name: String, error: String? = nil, file: String? = nil) -> Case {
        Case(
            testDescription: "FROM \(name)", dockerfile: "FROM \(name):1\nRUN echo x > made\n", error: error, file: file
        )
    }

    static let cases: [Case] =
        [
            add("dots", error: "a name that leads out of it"), add("inner-dots", error: "a name that leads out of it"),
            add("absolute", file: "OUT/evil"), add("link", file: "OUT/evil"), add("relative-link", file: "OUT/evil"),
            add("link-to-file", file: "/d"), add("hard-link", error: "which does not exist"),
            add("hard-link-dots", error: "a name that leads out of it"),
            add("hard-link-over-link", error: "which does not exist"), add("device"),
            add("setuid", file: "/su"),
        ] + [
            image("nul", error: "contains a NUL character"), image("user-newline", error: "unable to find user"),
            image("user-huge", error: "unable to find user"), image("passwd-link", error: "unable to find user bob"),
            image("workdir-dots", file: "OUT/evil/made"),
            image("workdir-open", error: "cannot enter the directory /proc/self/fd/5"),
            image("workdir-link", file: "OUT/evil/made"), image("shell-self", error: "may not be executed"),
            image("script-self", error: "may not be executed"), image("etc-link", file: "/made"),
            image("kernel-links", file: "/made"), image("hosts-link", file: "/made"),
            image("layer-dots", error: "a name that leads out of it"),
            image("layer-hard-link", error: "a name that leads out of it"), image("layer-link", file: "/made"),
            image("layer-own-link", file: "/srv/there"),
        ] + [
            Case(
                testDescription: "COPY to a link",
                dockerfile: "FROM lamina/base\nRUN mkdir -p OUT; ln -s OUT /l\nCOPY f /l/evil\n",
                file: "OUT/evil"),
            Case(
                testDescription: "COPY below a link of many steps up",
                dockerfile: "FROM lamina/base\nRUN mkdir -p OUT; ln -s ../../../../../../..OUT /l\nCOPY f /l/a/evil\n",
                file: "OUT/a/evil"),
            Case(testDescription: "COPY a link", dockerfile: "FROM lamina/base\nCOPY link /x\n", error: "not found"),
            Case(
                testDescription: "COPY from below a link", dockerfile: "FROM lamina/base\nCOPY link/old /x\n",
                error: "not found"),
            Case(
                testDescription: "COPY from above the context",
                dockerfile: "FROM lamina/base\nCOPY ../outside/old /x\n",
                error: "not found"),
            Case(
                testDescription: "COPY from a stage's link",
                dockerfile: "FROM lamina/base AS a\nRUN ln -s OUT /l\nFROM lamina/base\nCOPY --from=a /l/old /x\n",
                error: "not found"),
            Case(
                testDescription: "WORKDIR below a link",
                dockerfile: "FROM lamina/base\nRUN ln -s OUT /l\nWORKDIR /l/evil\nRUN echo x > made\n",
                file: "OUT/evil/made"),
            Case(
                testDescription: "WORKDIR of many steps up",
                dockerfile: "FROM lamina/base\nWORKDIR ../../../../../..OUT/evil\nRUN echo x > made\n",
                file: "OUT/evil/made"),
            Case(
                testDescription: "WORKDIR of what is open",
                dockerfile: "FROM lamina/base\nWORKDIR /proc/self/fd/7\nRUN echo x > made\n",
                error: "cannot enter the directory /proc/self/fd/7"),
            Case(
                testDescription: "WORKDIR of the root of process 1",
                dockerfile: "FROM lamina/base\nWORKDIR /proc/1/cwd\nRUN echo x > made\n",
                error: "cannot enter the directory /proc/1/cwd"),
            Case(
                testDescription: "a mount below what is open",
                dockerfile: "FROM lamina/base\nRUN --mount=type=tmpfs,target=/proc/self/fd/7/evil true\n",
                error: ": Too many levels of symbolic links"),
            Case(
                testDescription: "a mount below a link to what is open",
                dockerfile: "FROM lamina/base\nRUN ln -s /proc/self/fd/11 /l\n"
                    + "RUN --mount=type=bind,source=f,target=/l/evil true\n",
                error: "cannot create the mount point"),
            Case(
                testDescription: "the builder's program as a command",
                dockerfile: "FROM lamina/base\nRUN [\"/proc/self/exe\", \"--version\"]\n", error: "may not be executed"),
            Case(
                testDescription: "the builder's program as an interpreter's",
                dockerfile:
                    "FROM lamina/base\nRUN printf '#!/b\\n' > /a; printf '#!/proc/self/exe\\n' > /b; chmod 755 /a /b\n"
                    + "RUN [\"/a\"]\n", error: "may not be executed"),
            Case(
                testDescription: "a cache mounted over a link in a cache",
                dockerfile: "FROM lamina/base\nRUN --mount=type=cache,target=/c ln -sfn OUT /c/l\n"
                    + "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/c/l/evil echo x > /made\n",
                file: "/made"),
            Case(
                testDescription: "a cache's source above it",
                dockerfile:
                    "FROM lamina/base\nRUN --mount=type=cache,target=/c,source=../../../../..OUT touch /c/evil\n",
                error: "the cache has no"),
            Case(
                testDescription: "a cache's source through a link",
                dockerfile: "FROM lamina/base\nRUN --mount=type=cache,id=l,target=/c ln -sfn OUT /c/l\n"
                    + "RUN --mount=type=cache,id=l,source=l,target=/d touch /d/evil\n", error: "the cache has no"),
            Case(
                testDescription: "a mount of a link in the context",
                dockerfile: "FROM lamina/base\nRUN --mount=type=bind,source=link,target=/c ls /c/old\n",
                error: "not found"),
            Case(
                testDescription: "a mount from above the context",
                dockerfile: "FROM lamina/base\nRUN --mount=type=bind,source=../outside,target=/c ls /c/old\n",
                error: "not found"),
            Case(
                testDescription: "writes to a mounted context",
                dockerfile: "FROM lamina/base\nRUN --mount=type=bind,target=/c,rw echo x > /c/f && echo x > /made\n",
                file: "/made"),
            Case(
                testDescription: "a mode changed through a mounted context",
                dockerfile: "FROM lamina/base\nRUN --mount=type=bind,target=/c chmod 4777 /c/f\n",
                error: "exit code: 1"),
            Case(
                testDescription: "an insecure command", dockerfile: "FROM lamina/base\nRUN --security=insecure true\n",
                error: "security.insecure is not allowed"),
            Case(
                testDescription: "the host's network", dockerfile: "FROM lamina/base\nRUN --network=host true\n",
                error: "network.host is not allowed"),
            Case(
                testDescription: "a device", dockerfile: "FROM lamina/base\nRUN --device=/dev/null true\n",
                error: "device /dev/null is not allowed"),
            Case(
                testDescription: "COPY of a whiteout", dockerfile: "FROM lamina/base\nCOPY <<.wh.bin /\nx\n.wh.bin\n",
                error: "'/.wh.bin' cannot be in an image"),
            Case(
                testDescription: "RUN that makes a whiteout",
                dockerfile: "FROM lamina/base\nRUN touch /etc/.wh..wh..opq\n",
                error: "'/etc/.wh..wh..opq' cannot be in an image"),
            Case(
                testDescription: "an archive of more than there is",
                dockerfile: "FROM lamina/base\nADD much.tar /\n",
                error: "cannot unpack '/much': there is too little space"),
            Case(
                testDescription: "a small archive of much",
                dockerfile: "FROM lamina/base\nADD zeros.tar.gz /\nRUN [ $(stat -c %s /zeros) = 100000000 ]\n",
                file: "/zeros"),
        ]

    @Test(arguments: cases) func staysInside(_ hostile: Case) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let outside = scratch.path.appending("outside")
        try scratch.write("old\n", to: "outside/old")
        try scratch.write("bob:x:0:0::/:/bin/sh\n", to: "outside/passwd")
        let context = try scratch.context(hostile.dockerfile.replacing("OUT", with: outside.string))
        try scratch.write("f\n", to: "context/f")
        try expectSuccess("ln", "-s", outside.string, context.appending("link").string)
        let script = Lamina.packageRoot.appending("testdata/hostile/make.py").string
        try expectSuccess("python3", script, context.string, outside.string)
        if hostile.dockerfile.contains("zeros.tar.gz") {
            try expectSuccess(
                "sh", "-c", "truncate -s 100000000 zeros && tar czf zeros.tar.gz zeros && rm zeros", in: context)
        }
        if hostile.testDescription.hasPrefix("FROM ") {
            let name = "image-\(hostile.testDescription.dropFirst(5)).tar"
            let loaded = try lamina("load", "-i", context.appending(name).string)
            // An image may be refused as early as that.
            if loaded.status != 0, let error = hostile.error {
                #expect(loaded.errorText.contains(error))
                return
            }
        }
        let before = try Self.fingerprint(of: outside, context)
        let output = scratch.path.appending("out")
        let finished = try lamina("build", "--progress", "plain", "-o", output.string, context.string)
        #expect(try Self.fingerprint(of: outside, context) == before)
        if let error = hostile.error {
            #expect(finished.status == 1)
            #expect(
                finished.errorLines.last { $0.hasPrefix("ERROR: ") }?.contains(error) == true, "\(finished.errorText)")
        } else {
            #expect(finished.status == 0, "\(finished.errorText)")
        }
        if let file = hostile.file {
            let path = output.string + file.replacing("OUT", with: outside.string)
            #expect(try run("test", "-e", path).status == 0, "\(path)")
        }
    }

    /// All names, modes, owners, sizes and times below two directories.
    private static func fingerprint(of directories: FilePath...) throws -> [String] {
        try directories.flatMap { directory in
            try expectSuccess("find", directory.string, "-printf", "%p %y %m %U %G %s %T@ %l\\n").outputLines.sorted()
        }
    }
}
