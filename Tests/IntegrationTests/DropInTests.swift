import SystemPackage
import Testing

/// Flags and files of Docker, Buildah and Podman that BuildKit does not know.
@Suite("Flags and files of other builders", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct DropInTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private func config(of image: String) throws -> JSONValue? {
        try JSONValue(parsing: lamina.succeeding("inspect", image).outputText).array?.first
    }

    @Test func aDirectoryWithAContainerfileIsBuiltWithoutBeingNamed() throws {
        let context = scratch.path.appending("context")
        try scratch.write("FROM scratch\nCOPY . /\n", to: "context/Containerfile")
        try scratch.write("secret*\n", to: "context/.containerignore")
        try scratch.write("kept*\n", to: "context/.dockerignore")
        for name in ["kept", "secret"] { try scratch.write(name, to: "context/\(name)") }
        let output = scratch.path.appending("out")
        let build = try lamina("build", "-o", output.string, in: context)
        #expect(build.status == 0, "\(build.errorText)")
        // Buildah's ignore file goes before Docker's for a Containerfile, and after it for a Dockerfile.
        #expect(try expectSuccess("ls", output.string).outputLines == ["Containerfile", "kept"])
        try scratch.write("FROM scratch\nCOPY . /\n", to: "context/Dockerfile")
        #expect(try lamina("build", "-o", output.string + "2", in: context).status == 0)
        #expect(try expectSuccess("ls", output.string + "2").outputLines == ["Containerfile", "Dockerfile", "secret"])

        let nothing = try lamina("build", in: output)
        #expect(nothing.status == 0, "the output has a Containerfile")
        let empty = try lamina("build", in: lamina.root)
        #expect(empty.status == 2)
        #expect(empty.errorText.hasPrefix("Error: this directory has no Dockerfile and no Containerfile: "))
    }

    @Test func theConfigIsChangedAsBuildahDoes() throws {
        let base = try scratch.context(
            "FROM scratch\nENV A=1 KEEP=2\nLABEL inherited=yes both=old\nCOPY Dockerfile /\n", named: "base")
        try lamina.build(base, "-t", "example/base")
        try lamina.build(base, "-t", "example/other", "--label", "other=1")
        let context = try scratch.context(
            "FROM example/base AS first\nLABEL both=new\nENV NEW=[$X]\nFROM first\nWORKDIR /w\n")
        let plain = try lamina.build(context)
        try lamina.build(
            context, "-t", "changed", "--env", "X=1", "--env=PATH=/bin", "--env", "NOWHERE", "--unsetenv", "A",
            "--unsetlabel", "inherited", "--unsetlabel=both", "--omit-history")
        let changed = try config(of: "changed")
        #expect(changed?["Config"]?["Env"]?.strings == ["PATH=/bin", "KEEP=2", "NEW=[]", "X=1"])
        #expect(changed?["Config"]?["Labels"]?.object == ["both": .string("new")])
        #expect(try lamina.succeeding("history", "--format", "{{.CreatedBy}}", "changed").outputText.trimmed.isEmpty)
        #expect(try changed?["RootFS"] == config(of: plain)?["RootFS"])

        try lamina.build(context, "-t", "bare", "--inherit-labels=false")
        #expect(try config(of: "bare")?["Config"]?["Labels"]?.object == ["both": .string("new")])
        try lamina.build(context, "-t", "from", "--from", "example/other")
        #expect(try config(of: "from")?["Config"]?["Labels"]?["other"] == .string("1"))
        #expect(try lamina.build(context) == plain)
    }

    @Test func stagesThatNothingNeedsAreBuiltWhereAskedFor() throws {
        let context = try scratch.context(
            "FROM lamina/base AS test\nRUN echo tested && false\nFROM scratch AS out\nCOPY Dockerfile /\nFROM lamina/base\nRUN false\n"
        )
        let image = try lamina.build(context, "--target", "out")
        let all = try lamina("build", "--target", "out", "--skip-unused-stages=false", context.string)
        #expect(all.status == 1)
        #expect(all.errorText.contains("RUN echo tested && false"), "\(all.errorText)")
        let passing = try scratch.context(
            "FROM lamina/base AS test\nRUN echo tested\nFROM scratch\nCOPY Dockerfile /\n", named: "passing")
        let whole = try lamina.build(passing)
        let tested = try lamina.succeeding(
            "build", "--iidfile", scratch.path.appending("id").string, "-t", "x",
            "--skip-unused-stages=false", passing.string)
        #expect(tested.errorText.contains(" tested\n"), "\(tested.errorText)")
        #expect(try text(of: scratch.path.appending("id")) == whole && whole != image)
    }

    @Test func filesSayWhatCameOfABuild() throws {
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n").string
        let (raw, digest) = (scratch.path.appending("raw"), scratch.path.appending("digest"))
        let (layout, log) = (scratch.path.appending("layout"), scratch.path.appending("log"))
        let build = try lamina.succeeding(
            "build", "--iidfile-raw", raw.string, "--digest-file=\(digest)", "--logfile", log.string,
            "-o", "type=oci,tar=false,dest=\(layout)", "-t", "x", context)
        #expect(build.errorText.isEmpty && build.output.isEmpty)
        #expect(try "sha256:" + text(of: raw) == config(of: "x")?["Id"]?.string)
        let index = try JSONValue(parsing: text(of: layout.appending("index.json")))
        #expect(try text(of: digest) == index["manifests"]?.array?.first?["digest"]?.string)
        let lines = try text(of: log).split(separator: "\n")
        #expect(lines.contains { $0.hasSuffix("] COPY Dockerfile /") })
        // Another build is added to the log.
        try lamina.succeeding("build", "--logfile", log.string, context)
        #expect(try text(of: log).split(separator: "\n").count > lines.count)

        let unknown = try lamina("build", "--digest-file", digest.string, context)
        #expect(unknown.status == 2)
        #expect(unknown.errorText.hasPrefix("Error: --digest-file needs an image that is pushed or written to a file"))
        let nowhere = try lamina("build", "--logfile", "/nonexistent/log", context)
        #expect(nowhere.status == 2, "\(nowhere.errorText)")
    }

    /// The proxies of this environment reach commands, and are neither in the key nor in the image.
    @Test func proxiesReachCommandsWhereAskedFor() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo \"<$HTTP_PROXY>\" > /seen\n")
        let proxied = lamina.with([
            "HTTP_PROXY": "http://u:p@proxy:1", "LAMINA_ISOLATION": "", "BUILDAH_ISOLATION": "oci",
        ])
        try proxied.build(context, "-t", "with", "--http-proxy", "--isolation=default")
        #expect(try lamina.succeeding("run", "with", "cat", "/seen").trimmed == "<http://u:p@proxy:1>")
        let progress = try lamina.succeeding("build", "--progress=plain", context.string).errorLines
        #expect(progress.contains { $0.hasSuffix(" CACHED") })
        #expect(try !lamina.succeeding("history", "--no-trunc", "with").outputText.contains("proxy:1"))
        // Those of Docker's file do so in any case, in containers, too, unless the command line says otherwise.
        try scratch.write(#"{"proxies":{"default":{"httpProxy":"http://file:1"}}}"#, to: "docker/config.json")
        let client = lamina.with(["DOCKER_CONFIG": scratch.path.appending("docker").string])
        try client.build(context, "-t", "file", "--no-cache")
        #expect(try lamina.succeeding("run", "file", "cat", "/seen").trimmed == "<http://file:1>")
        #expect(try !lamina.succeeding("history", "--no-trunc", "file").outputText.contains("file:1"))
        let shown = try client.succeeding(
            "run", "-e", "HTTP_PROXY=own", "file", "sh", "-c", "echo $HTTP_PROXY $http_proxy")
        #expect(shown.trimmed == "own http://file:1")
        try proxied.build(context, "-t", "without", "--http-proxy=false", "--no-cache")
        #expect(try lamina.succeeding("run", "without", "cat", "/seen").trimmed == "<>")
    }

    /// Docker's and Podman's flag takes the layers that are made, the other those of the base, too; the files stay.
    @Test func layersBecomeOne() throws {
        let base = try scratch.context("FROM scratch\nCOPY <<E /old\nold\nE\nCOPY <<E /kept\nkept\nE\n", named: "base")
        try lamina.build(base, "-t", "example/base")
        try lamina.build(
            try scratch.context("FROM lamina/base\nCOPY --from=example/base / /data/\n", named: "tools"), "-t", "tools")
        let context = try scratch.context(
            "FROM tools\nRUN rm /data/old && echo a > /data/a\nENV X=1\nRUN ln /data/a /data/b && echo c > /data/c\n")
        try lamina.build(context, "-t", "plain")
        func layers(_ image: String) throws -> [String] { try config(of: image)?["RootFS"]?["Layers"]?.strings ?? [] }
        func files(_ image: String) throws -> [[String]] {
            // Without the layers, which differ.
            try lamina.succeeding("ls", "-R", image, "/data").outputLines.map { line in
                line.split(separator: " ").enumerated().filter { $0.offset != 5 }.map { String($0.element) }
            }
        }
        let below = try layers("tools")
        let first = try lamina.build(context, "-t", "new", "--squash")
        #expect(try layers("new").dropLast() == below[...])
        let all = try lamina.build(context, "-t", "all", "--squash-all")
        #expect(try layers("all").count == 1)
        // Of both, the one that takes more counts, as with Podman.
        #expect(try lamina.build(context, "--squash", "--squash-all") == all)
        #expect(try files("new") == files("plain") && files("all") == files("plain"))
        let notes = try lamina.succeeding("history", "--no-trunc", "--format", "{{.CreatedBy}}", "new").outputLines
        #expect(notes.first == "squash" && notes.contains { $0.hasPrefix("RUN /bin/sh -c ln") }, "\(notes)")
        #expect(try lamina.succeeding("history", "-q", "all").outputLines.count == notes.count)
        // The merged layer is found again, and the steps are those of the cache.
        let again = try lamina.succeeding("build", "--progress=plain", "-t", "again", "--squash", context.string)
        #expect(again.errorLines.count { $0.hasSuffix(" CACHED") } >= 2, "\(again.errorText)")
        #expect(try config(of: "again")?["Id"] == .string(first))
        // A single layer is left as it is.
        let single = try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "single")
        #expect(try lamina.build(single, "--squash-all") == lamina.build(single))
        let inline = try lamina("build", "--squash", "--cache-to", "type=inline", context.string)
        #expect(inline.status == 2)
        #expect(inline.errorText.hasPrefix("Error: an inline cache names the layers of the image"))
    }

    @Test func pathsStayOutOfLayersWhereAskedFor() throws {
        let context = try scratch.context(
            """
            FROM lamina/base
            RUN mkdir -p /opt/cache /opt/app && echo x > /opt/cache/x && echo y > /opt/app/y && echo z > /opt/cachex
            RUN ls /opt > /seen; ls -d /opt/cache || echo none >> /seen
            RUN rm -f /opt/app/y

            """)
        try lamina.build(context, "-t", "whole")
        try lamina.build(context, "-t", "part", "--ignore-path", "/opt/cache/", "--ignore-path=/opt/app/y")
        #expect(
            try lamina.succeeding("ls", "-R", "part", "/opt").outputLines.filter { $0.contains("cache") }.count == 1)
        #expect(try lamina.succeeding("cat", "part", "/seen").outputLines == ["app", "cachex", "none"])
        #expect(try lamina.succeeding("cat", "whole", "/seen").outputLines.contains("cache"))
        // It is part of what steps are known by.
        try lamina.build(context, "-t", "again")
        #expect(try config(of: "again")?["RootFS"] == config(of: "whole")?["RootFS"])
        for path in ["relative", "/", "/a/../b", ""] {
            let wrong = try lamina("build", "--ignore-path", path, context.string)
            #expect(wrong.status == 2, "\(path)")
            #expect(wrong.errorText.contains("no absolute path below the root of the image"), "\(path)")
        }
    }

    @Test func commandsReadTheInputWhereAskedFor() throws {
        let context = try scratch.context("FROM lamina/base\nRUN cat > /got\nRUN cat > /rest\n")
        let input = try scratch.write("yes\nplease\n", to: "answers")
        let build = try lamina("build", "--stdin", "-t", "x", context.string, input: input)
        #expect(build.status == 0, "\(build.errorText)")
        #expect(try lamina.succeeding("cat", "x", "/got").outputText == "yes\nplease\n")
        #expect(try lamina.succeeding("cat", "x", "/rest").outputText.isEmpty)
        try lamina.build(context, "-t", "none", "--no-cache")
        #expect(try lamina.succeeding("cat", "none", "/got").outputText.isEmpty)
        let both = try lamina("build", "--stdin", "-", input: input)
        #expect(both.status == 2 && both.errorText.hasPrefix("Error: --stdin gives the standard input to commands"))
    }
}
