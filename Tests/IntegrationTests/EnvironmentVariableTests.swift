import SystemPackage
import Testing

/// Every variable of other tools that pipelines set, through the program: what it does, that it has no effect, or that it
/// is refused.
@Suite("Environment variables", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct EnvironmentVariableTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: String

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        context = try scratch.context("FROM scratch as one\nCOPY Dockerfile /\n").string
    }

    private func build(_ variables: [String: String], _ words: String...) throws -> Finished {
        try lamina.with(variables).start(["build"] + words + [context]).wait()
    }

    /// Logins, in the order in which their files count. What `DOCKER_AUTH_CONFIG` has is used, and is no login that is kept.
    @Test func loginsAreFound() throws {
        func logins(_ user: String) -> String {
            #"{"auths":{"registry.test":{"username":"\#(user)","password":"x"}}}"#
        }
        try scratch.write(logins("docker"), to: "docker/config.json")
        let file = try scratch.write(logins("file"), to: "auth.json").string
        let directory = scratch.path.appending("docker").string
        for (variables, user) in [
            (["DOCKER_CONFIG": directory], "docker"),
            (["DOCKER_CONFIG": directory, "REGISTRY_AUTH_FILE": file], "file"),
        ] {
            let login = try lamina.with(variables)("login", "--get-login", "registry.test")
            #expect(login.trimmed == user, "\(variables.keys.sorted()): \(login.errorText)")
        }
    }

    @Test func variablesThatStandForOptions() throws {
        func field(_ format: String, _ variables: [String: String], _ words: String...) throws -> String {
            try lamina.with(variables).succeeding(["build", "-q", "-t", "x"] + words + [context])
            return try lamina.succeeding("inspect", "-f", format, "x").trimmed
        }
        #expect(try field("{{.Architecture}}", ["DOCKER_DEFAULT_PLATFORM": "linux/riscv64"]) == "riscv64")
        #expect(
            try field("{{.Architecture}}", ["DOCKER_DEFAULT_PLATFORM": "linux/riscv64"], "--platform=s390x") == "s390x")
        #expect(try field("{{.Created}}", ["SOURCE_DATE_EPOCH": "86400"]) == "1970-01-02T00:00:00Z")
        let progress = try build(["BUILDKIT_PROGRESS": "rawjson"])
        #expect(progress.errorText.hasPrefix("{\"vertexes\":["), "\(progress.errorText)")
        #expect(try build(["BUILDKIT_PROGRESS": "rawjson"], "--progress=quiet").errorText.isEmpty)
        #expect(try build(["BUILDKIT_PROGRESS": "nonsense"]).status == 2)
        #expect(try build(["BUILDAH_ISOLATION": "nonsense"]).errorText.contains("'nonsense'"))
        let setting = try lamina.with(["BUILDAH_ISOLATION": "chroot", "LAMINA_ISOLATION": ""])
            .succeeding("config", "show").outputLines.first { $0.hasPrefix("isolation ") }
        #expect(setting?.hasSuffix("environment BUILDAH_ISOLATION") == true, "\(setting ?? "")")
        for (format, type) in [
            ("docker", "application/vnd.docker.distribution.manifest.v2+json"),
            ("oci", "application/vnd.oci.image.manifest.v1+json"),
        ] {
            let layout = scratch.path.appending(format)
            let built = try build(["BUILDAH_FORMAT": format], "-o", "type=oci,tar=false,dest=\(layout)")
            #expect(built.status == 0, "\(built.errorText)")
            let index = try JSONValue(parsing: text(of: layout.appending("index.json")))
            #expect(index["manifests"]?.array?.first?["mediaType"]?.string == type)
        }
        #expect(try build(["BUILDAH_FORMAT": "tape"]).status == 2)
    }

    @Test func variablesAboutColours() throws {
        let terminal = ["NO_COLOR": "", "TERM": "xterm", "BUILDKIT_PROGRESS": "tty"]
        #expect(try build(terminal).errorText.contains("\u{1b}[34m => "))
        #expect(
            try build(terminal.merging(["BUILDKIT_COLORS": "run=magenta"]) { $1 }).errorText
                .contains("\u{1b}[35m => "))
        #expect(try !build(terminal.merging(["NO_COLOR": "1"]) { $1 }).errorText.contains("m => "))
        func explained(_ variables: [String: String]) throws -> String {
            try lamina.with(variables).succeeding("explain").outputText
        }
        #expect(try explained(["NO_COLOR": "", "CLICOLOR_FORCE": "1"]).contains("\u{1b}["))
        #expect(try !explained(["NO_COLOR": "1", "CLICOLOR_FORCE": "1"]).contains("\u{1b}["))
        #expect(try !explained(["NO_COLOR": ""]).contains("\u{1b}["))
    }

    @Test func variablesAboutTheMetadataFile() throws {
        let file = scratch.path.appending("metadata.json")
        func metadata(_ variables: [String: String]) throws -> JSONValue {
            let built = try build(variables, "--metadata-file", file.string)
            #expect(built.status == 0, "\(built.errorText)")
            return try JSONValue(parsing: text(of: file))
        }
        let usual = try metadata([:])
        let provenance = usual["buildx.build.provenance"]?["buildDefinition"]
        #expect(provenance != nil && usual["buildx.build.warnings"] == nil)
        #expect(try metadata(["BUILDX_METADATA_PROVENANCE": "disabled"])["buildx.build.provenance"] == nil)
        let most = try metadata(["BUILDX_METADATA_PROVENANCE": "max", "BUILDX_METADATA_WARNINGS": "1"])
        // Only the greatest has the Dockerfile.
        #expect(try text(of: file).contains("\"infos\""))
        let warning = try #require(most["buildx.build.warnings"]?.array?.first)
        // "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)"
        #expect(warning["short"]?.string?.hasPrefix("RnJvbUFzQ2FzaW5nOi") == true, "\(warning)")
        #expect(warning["range"]?.array?.first?["start"]?["line"] == .number(1))
        #expect(warning["sourceInfo"]?["language"] == .string("Dockerfile"))
        // The image is the same, and has no attestations of its own.
        #expect(most["containerimage.config.digest"] == usual["containerimage.config.digest"])
        #expect(try lamina.succeeding("images", "-q").outputLines.count == 1)
    }

    /// A proxy that refuses connections, and a registry that does not exist: the error tells which one was asked.
    @Test func proxiesAreAsked() throws {
        func error(_ variables: [String: String]) throws -> String {
            let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
            let none = Dictionary(uniqueKeysWithValues: (proxies + proxies.map { $0.lowercased() }).map { ($0, "") })
            let asked = try lamina.with(none.merging(variables) { $1 })(
                "digest", "--retry=0", "registry.invalid/x:1")
            #expect(asked.status == 1)
            return asked.errorText
        }
        let proxy = "http://127.0.0.1:1"
        #expect(try error(["HTTPS_PROXY": proxy]).contains("127.0.0.1"))
        #expect(try error(["https_proxy": proxy]).contains("127.0.0.1"))
        #expect(try error(["ALL_PROXY": proxy]).contains("127.0.0.1"))
    }

    @Test(arguments: [
        ["BUILDAH_LAYERS": "false"], ["BUILDX_BUILDER": "remote"], ["BUILDX_CONFIG": "/nonexistent"],
        ["BUILDX_NO_DEFAULT_ATTESTATIONS": "1"], ["DOCKER_BUILDKIT": "0"], ["DOCKER_CONTEXT": "other"],
        ["DOCKER_HOST": "unix:///nonexistent.sock"], ["DOCKER_TLS_VERIFY": "1"], ["STORAGE_DRIVER": "vfs"],
        ["STORAGE_OPTS": "x"],
    ])
    func variablesWithoutEffect(_ variables: [String: String]) throws {
        let name = try #require(variables.keys.first)
        let quiet = try build(variables, "-q")
        #expect(quiet.status == 0 && quiet.errorText.isEmpty, "\(quiet.errorText)")
        let noted = try build(variables, "-q", "--debug")
        #expect(noted.errorLines.contains { $0.hasPrefix("lamina: \(name) has no effect: ") }, "\(noted.errorText)")
        #expect(noted.trimmed == quiet.trimmed)
    }

    @Test func variablesThatAreRefused() throws {
        for words in [["build", context], ["run", "x"], ["create", "x"]] {
            let remote = try lamina.with(["DOCKER_HOST": "tcp://docker:2375"]).start(words).wait()
            #expect(remote.status == 2)
            #expect(
                remote.errorText
                    == "lamina: DOCKER_HOST is 'tcp://docker:2375', and there is no daemon: unset it to work on this machine\n"
            )
        }
        let policy = try build(["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": "policy.json"])
        #expect(policy.status == 2 && policy.errorText.hasPrefix("lamina: EXPERIMENTAL_BUILDKIT_SOURCE_POLICY is set"))
        let executor = try lamina.with(["DOCKER_HOST": "tcp://docker:2375"])(
            "executor", "--no-push", "--context", context)
        #expect(executor.status == 0, "\(executor.errorText)")
    }

    /// Only `analyze` asks whether it runs in continuous integration.
    @Test func ciIsAskedByAnalyzeAlone() throws {
        let image = try build(["CI": "true"], "-q")
        #expect(image.status == 0)
        let rules = try lamina.with(["CI": "true"])("analyze", image.trimmed)
        #expect(rules.outputText.contains("Evaluation:"), "\(rules.outputText)")
        #expect(try !lamina.succeeding("analyze", image.trimmed).outputText.contains("Evaluation:"))
    }
}
