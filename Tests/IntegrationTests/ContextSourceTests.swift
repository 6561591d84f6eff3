import SystemPackage
import Testing

/// `lamina build` with files from the standard input, by name, and from layouts.
@Suite("Contexts", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ContextSourceTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private var out: FilePath { scratch.path.appending("out") }

    /// The names of the files that a build leaves in a fresh directory.
    private func files(_ arguments: [String], input: FilePath = "/dev/null") throws -> [String] {
        try expectSuccess("rm", "-rf", out.string)
        let finished = try lamina.start(["build", "-q", "-o", out.string] + arguments, input: input).wait()
        guard finished.status == 0 else { throw CommandFailure(description: finished.errorText) }
        return try expectSuccess("find", ".", "-type", "f", in: out).outputLines.sorted()
    }

    private func error(_ arguments: [String], input: FilePath = "/dev/null") throws -> String {
        let finished = try lamina.start(["build", "-q"] + arguments, input: input).wait()
        #expect(finished.status != 0)
        return finished.errorText
    }

    @Test func standardInput() throws {
        let context = try scratch.context("FROM scratch\nCOPY . /c/\n")
        try scratch.write("one", to: "context/sub/f")
        let all = ["./c/Dockerfile", "./c/sub/f"]
        let archive = scratch.path.appending("a.tar")
        for compression in ["", "z", "j", "J"] {
            try expectSuccess("tar", "-C", context.string, "-c\(compression)f", archive.string, ".")
            #expect(try files(["-"], input: archive) == all, "\(compression)")
        }
        try expectSuccess("tar", "-C", context.string, "--zstd", "-cf", archive.string, ".")
        #expect(try files(["-"], input: archive) == all)
        #expect(try files(["-f", "./Dockerfile", "-"], input: archive) == all)
        #expect(try error(["-f", "none", "-"], input: archive).contains("failed to read dockerfile: open none"))
        // A Dockerfile of this machine for the files of the archive.
        let own = try scratch.write("FROM scratch\nCOPY sub /\n", to: "own")
        #expect(try files(["-f", own.string, "-"], input: archive) == ["./f"])

        let text = try scratch.write("FROM scratch\nCOPY <<x /y\nx\nCOPY . /\n", to: "text")
        #expect(try files(["-"], input: text) == ["./y"])
        #expect(try files(["-f", "-", context.string], input: text) == ["./Dockerfile", "./sub/f", "./y"])
        #expect(try lamina.unfinished() == [])
    }

    @Test func standardInputFailures() throws {
        let text = try scratch.write("FROM scratch\nNOPE\n", to: "text")
        let parse = try error(["-"], input: text)
        #expect(parse.contains("2 | >>> NOPE"))
        #expect(
            try error(["-f", "-", "-"]).contains(
                "invalid argument: can't use stdin for both build context and dockerfile"))
        #expect(
            try error(["-f", "x", "-"], input: text).contains(
                "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles"))
        #expect(try error(["-"]).contains("the standard input is empty"))
        #expect(try error(["http://127.0.0.1:1/x.git"]).contains("failed to list refs of remote"))
    }

    /// The history has the place of a context without the login of its URL.
    @Test func theHistoryHasNoLogins() throws {
        let port = try DockerRegistry.freePort()
        try scratch.context("FROM scratch\nNOPE\n", named: "web")
        let server = try RunningProcess([
            "python3", "-m", "http.server", "-b", "127.0.0.1", "-d", scratch.path.appending("web").string, "\(port)",
        ])
        defer {
            server.send(15)
            _ = try? server.wait(limit: .seconds(10))
        }
        let script = "import socket; socket.create_connection(('127.0.0.1', \(port)), 1)"
        try wait(until: { try run("python3", "-c", script).status == 0 })
        _ = try error(["http://user:hunter2@127.0.0.1:\(port)/Dockerfile"])
        let details = try lamina.succeeding("builds", "inspect", "--format", "json").outputText
        #expect(details.contains("http://127.0.0.1:\(port)/Dockerfile"), "\(details)")
        #expect(!details.contains("hunter2"))
    }

    /// The Dockerfile is a link, or elsewhere; an ignore file is named, or belongs to the Dockerfile.
    @Test func filesElsewhere() throws {
        let context = try scratch.context("FROM scratch\n")
        for name in ["a", "b"] { try scratch.write(name, to: "context/\(name)") }
        let other = try scratch.write("FROM scratch\nCOPY . /\n", to: "other/My")
        try expectSuccess("ln", "-sf", other.string, context.appending("Dockerfile").string)
        try scratch.write("Dockerfile\n.dockerignore\na\n", to: "context/.dockerignore")
        #expect(try files([context.string]) == ["./b"])
        try scratch.write("Dockerfile\n.dockerignore\nb\n", to: "other/My.dockerignore")
        #expect(try files(["-f", other.string, context.string]) == ["./a"])
        let rules = try scratch.write("*\n!a\n!b\n", to: "rules")
        #expect(try files(["--ignorefile", rules.string, "-f", other.string, context.string]) == ["./a", "./b"])
        #expect(try error(["--ignorefile", "/none", context.string]).contains("the ignore file /none is not there"))
    }

    @Test("Named contexts are sources, bases and mounts")
    func named() throws {
        let context = try scratch.context(
            """
            FROM base AS tools
            RUN --mount=from=docs,target=/m cat /m/d > /seen && ! test -e /m/hidden
            FROM scratch
            COPY --from=tools /seen /
            COPY --from=docs . /docs/

            """)
        try scratch.write("d", to: "docs/d")
        try scratch.write("h", to: "docs/hidden")
        try scratch.write("hidden\n.dockerignore\n", to: "docs/.dockerignore")
        let names = [
            "--build-context", "base=docker-image://lamina/base", "--build-context",
            "docs=\(scratch.path.appending("docs"))",
        ]
        #expect(try files(names + [context.string]) == ["./docs/d", "./seen"])
        #expect(try text(of: out.appending("seen")) == "d")
        // A directory as a base, and in place of a stage.
        let stage = ["--build-context", "tools=\(scratch.path.appending("docs"))", "--target", "tools"]
        #expect(try files(stage + [context.string]) == ["./d"])
        #expect(
            try error(["--build-context", "x", context.string]).contains("invalid context value: x, expected key=value")
        )
        let alone = try scratch.context("FROM scratch\nCOPY --from=gone . /\n", named: "alone")
        #expect(
            try error(["--build-context", "gone=/none", alone.string]).contains(
                "failed to get build context gone: path \"/none\" not found"))
    }

    /// An image in a layout, by its tag and by its digest, with all that its config says.
    @Test("An image in an OCI layout is found by tag and by digest")
    func layouts() throws {
        let layout = scratch.path.appending("layout")
        let base = try scratch.context("FROM scratch\nCOPY Dockerfile /base\nENV E=v\nLABEL l=1\n", named: "base")
        try lamina.succeeding("build", "-q", "-t", "h/x:v1", "-o", "type=oci,tar=false,dest=\(layout)", base.string)
        let index = try JSONValue(parsing: text(of: layout.appending("index.json")))
        let digest = try #require(index["manifests"]?.array?.first?["digest"]?.string)
        let fresh = Lamina(root: scratch.path.appending("fresh"))
        let context = try scratch.context("FROM b\nCOPY --from=b /base /copy\n")
        for (reference, isThere) in [(":v1", true), ("@\(digest)", true), (":none", false), ("", false)] {
            let finished = try fresh(
                "build", "-t", "child", "--build-context", "b=oci-layout://\(layout)\(reference)", context.string)
            #expect((finished.status == 0) == isThere, "\(reference): \(finished.errorText)")
            guard isThere else {
                #expect(finished.errorText.contains("could not be resolved: '\(layout)' holds no image"))
                continue
            }
            let format = "{{.Config.Labels.l}} {{index .Config.Env 0}} {{len .RootFS.Layers}}"
            #expect(try fresh.succeeding("inspect", "--format", format, "child").trimmed.hasPrefix("1 "))
        }
        // A blob that is not what its name says.
        let layer = try expectSuccess("sh", "-c", "ls -S \(layout)/blobs/sha256 | head -1").trimmed
        try expectSuccess("sh", "-c", "echo >> \(layout)/blobs/sha256/\(layer)")
        let broken = try Lamina(root: scratch.path.appending("third"))(
            "build", "--build-context", "b=oci-layout://\(layout):v1", context.string)
        #expect(broken.status == 1)
        #expect(broken.errorText.contains("could not be resolved: the blob sha256:\(layer) is longer than"))
    }

    /// More than the disk of the store holds ends with one sentence, and leaves nothing.
    @Test("An archive larger than the disk ends with one sentence and leaves nothing")
    func bomb() throws {
        let small = scratch.path.appending("small")
        try expectSuccess("mkdir", small.string)
        try expectSuccess("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small.string)
        defer { _ = try? run("umount", small.string) }
        let archive = scratch.path.appending("bomb.tgz")
        let files = scratch.path.appending("files")
        try expectSuccess("mkdir", files.string)
        try expectSuccess("truncate", "-s", "200M", files.appending("zeros").string)
        try scratch.write("FROM scratch\n", to: "files/Dockerfile")
        try expectSuccess("tar", "-C", files.string, "-czf", archive.string, ".")
        let store = Lamina(root: small.appending("store"))
        let finished = try store.start(["build", "-q", "-"], input: archive).wait()
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("there is too little space"), "\(finished.errorText)")
        #expect(finished.errorLines.count <= 2)
        #expect(try store.unfinished() == [])
    }
}
