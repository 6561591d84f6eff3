import SystemPackage
import Testing

/// Command lines of kaniko's executor, as pipelines have them.
@Suite("Kaniko's executor", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct ExecutorTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        context = try scratch.context("FROM scratch AS base\nCOPY . /\nFROM base\nARG A\nLABEL a=$A\n")
        try scratch.write("one", to: "context/sub/file")
        try scratch.write("FROM scratch\nCOPY file /\n", to: "context/sub/Dockerfile")
    }

    /// The names of the files in the archive that a line writes with `--tar-path`.
    private func built(_ words: [String], input: FilePath = "/dev/null", _ environment: [String: String] = [:]) throws
        -> [String]
    {
        let archive = scratch.path.appending("built.tar")
        let line = ["executor", "--no-push", "-d", "built", "--tar-path", archive.string] + words
        let finished = try lamina.with(environment).start(line, in: scratch.path, input: input).wait()
        guard finished.status == 0 else { throw CommandFailure(description: finished.errorText) }
        return try lamina.succeeding("ls", "-R", "built").outputLines.compactMap {
            $0.split(separator: " ").last.map(String.init)
        }.filter { $0 == "file" || $0.hasSuffix("/file") }
    }

    /// The arguments of GitLab's, Tekton's and Jenkins' documentation.
    @Test(.enabled(if: Machine.hasRegistry, Machine.needsRegistry))
    func pipelinesChangeNothingButTheImage() throws {
        let binary = try #require(Lamina.binary)
        try expectSuccess("mkdir", "-p", scratch.path.appending("kaniko/.docker").string)
        try expectSuccess("ln", "-s", binary.string, scratch.path.appending("kaniko/executor").string)
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let auth = try expectSuccess(
                "sh", "-c", "printf %s \"$0\" | base64", "\(DockerRegistry.user):\(DockerRegistry.password)"
            ).trimmed
            try scratch.write(
                "{\"auths\":{\"\(registry.name)\":{\"auth\":\"\(auth)\"}}}", to: "kaniko/.docker/config.json")
            let image = "\(registry.name)/team/app"
            let script = """
                cd "$CI_PROJECT_DIR"
                $K/executor --context "${CI_PROJECT_DIR}" --dockerfile "${CI_PROJECT_DIR}/Dockerfile" \
                    --destination "${IMAGE}:gitlab"
                $K/executor --dockerfile=./Dockerfile --context=$CI_PROJECT_DIR/./ --destination=$IMAGE:tekton \
                    --digest-file=$K/digest --image-name-tag-with-digest-file=$K/names --skip-tls-verify
                $K/executor -f `pwd`/Dockerfile -c `pwd` --insecure --skip-tls-verify --cache=true \
                    --destination=$IMAGE:jenkins --destination=$IMAGE:2 --build-arg A=$B --snapshot-mode=redo --use-new-run
                """
            let job = try RunningProcess(
                ["bash", "-euxc", script],
                environment: [
                    "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LAMINA_ROOT": lamina.root.string, "IMAGE": image,
                    "CI_PROJECT_DIR": context.string, "K": scratch.path.appending("kaniko").string, "B": "b",
                    "KANIKO_DIR": scratch.path.appending("kaniko").string,
                ]
            ).wait(limit: .seconds(300))
            #expect(job.status == 0, "\(job.errorText)")
            let digest = try text(of: scratch.path.appending("kaniko/digest"))
            #expect(digest.hasPrefix("sha256:") && digest.utf8.count == 71)
            #expect(try text(of: scratch.path.appending("kaniko/names")) == "\(image):tekton@\(digest)\n")
            let requests = try registry.requests()
            for tag in ["gitlab", "tekton", "jenkins", "2"] {
                #expect(requests.contains("PUT /v2/team/app/manifests/\(tag)"), "\(tag)")
            }
            #expect(requests.contains { $0.hasPrefix("PUT /v2/team/app/cache/manifests/lamina-") })
        }
    }

    @Test func contextsComeAsDirectoriesAndArchives() throws {
        let all = ["sub/file"]
        #expect(try built(["--context", "dir://\(context)"]) == all)
        #expect(try built(["-c", context.string]) == all)
        #expect(try built(["-c", context.string, "--context-sub-path=sub"]) == ["file"])
        let archive = scratch.path.appending("context.tar.gz")
        try expectSuccess("tar", "-C", context.string, "-czf", archive.string, ".")
        #expect(try built(["--context=tar://\(archive)"]) == all)
        #expect(try built(["--context", "tar://stdin"], input: archive) == all)
        #expect(try built(["-c", "tar://\(archive)", "--context-sub-path", "/sub/"]) == ["file"])
        #expect(try lamina.unfinished() == [])
    }

    /// No link of an archive leads to a directory of this machine.
    @Test func aDirectoryOfAnArchiveIsNoLink() throws {
        try expectSuccess("ln", "-s", "/etc", context.appending("out").string)
        let archive = scratch.path.appending("context.tar")
        try expectSuccess("tar", "-C", context.string, "-cf", archive.string, ".")
        for path in ["out", "..", "sub/../..", "none", "sub/file"] {
            let refused = try lamina(
                "executor", "--no-push", "-c", "tar://\(archive)", "--context-sub-path", path, in: scratch.path)
            #expect(refused.status == 1, "\(path)")
            #expect(refused.errorText.contains("the build context has no directory '\(path)'"), "\(refused.errorText)")
        }
        let nothing = try lamina("executor", "--no-push", "-c", "tar:///nonexistent.tar", in: scratch.path)
        #expect(nothing.errorText.contains("'/nonexistent.tar' cannot be read"), "\(nothing.errorText)")
        let text = try lamina("executor", "--no-push", "-c", "tar://\(context)/Dockerfile", in: scratch.path)
        #expect(text.errorText.contains("is no tar archive"), "\(text.errorText)")
    }

    /// A server of files stands for the object store: it asks for no signature.
    @Test func aContextComesFromABucket() throws {
        let port = try DockerRegistry.freePort()
        try expectSuccess("mkdir", "-p", scratch.path.appending("buckets/team").string)
        let archive = scratch.path.appending("buckets/team/c.tar.gz")
        try expectSuccess("tar", "-C", context.string, "-czf", archive.string, ".")
        let server = try RunningProcess([
            "python3", "-m", "http.server", "-b", "127.0.0.1", "-d", scratch.path.appending("buckets").string,
            "\(port)",
        ])
        defer {
            server.send(15)
            _ = try? server.wait(limit: .seconds(10))
        }
        let script = "import socket; socket.create_connection(('127.0.0.1', \(port)), 1)"
        try wait(until: { try run("python3", "-c", script).status == 0 })
        let environment = [
            "S3_ENDPOINT": "http://127.0.0.1:\(port)", "S3_FORCE_PATH_STYLE": "true", "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        ]
        #expect(try built(["-c", "s3://team/c.tar.gz"], environment) == ["sub/file"])
        #expect(try built(["-c", "s3://team/c.tar.gz", "--context-sub-path=sub"], environment) == ["file"])
        let absent = try lamina.with(environment)("executor", "--no-push", "-c", "s3://team/none.tar.gz")
        #expect(absent.status == 1)
        #expect(absent.errorText.contains("cannot read s3://team/none.tar.gz"), "\(absent.errorText)")
        let nobody = try lamina.with(["AWS_REGION": "x"])("executor", "--no-push", "-c", "s3://team/c.tar.gz")
        #expect(nobody.errorText.contains("there are no credentials for s3://team"), "\(nobody.errorText)")
        let nowhere = try lamina("executor", "--no-push", "-c", "s3://team/c.tar.gz")
        #expect(nowhere.status == 2 && nowhere.errorText.contains("Set AWS_REGION"), "\(nowhere.errorText)")
    }

    @Test func aCacheInALayoutIsReadAgain() throws {
        let dockerfile = try scratch.write("FROM lamina/base\nRUN echo ran\n", to: "D")
        let cache = scratch.path.appending("cache")
        let line = [
            "executor", "--no-push", "-c", context.string, "-f", dockerfile.string, "--cache", "--cache-repo",
            "oci:\(cache)",
        ]
        try lamina.succeeding(line)
        let other = try Lamina(root: scratch.path.appending("other")).succeeding(line)
        #expect(other.errorLines.contains { $0.hasSuffix(" CACHED") }, "\(other.errorText)")
    }

    @Test func whatIsNotThereIsRefusedInOneSentence() throws {
        let refused = try lamina("executor", "--no-push", "--force-build-metadata", "-c", context.string)
        #expect(refused.status == 2)
        #expect(refused.errorLines.count == 1)
        #expect(refused.errorText.hasPrefix("lamina: --force-build-metadata is not there: "))
        #expect(try lamina("executor", "version").output == lamina("version").output)
        #expect(try lamina.succeeding("executor", "--help").outputText.contains("--snapshot-mode"))
    }
}
