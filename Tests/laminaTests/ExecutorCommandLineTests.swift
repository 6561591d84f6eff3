import Testing

@testable import lamina

/// Command lines of kaniko's executor.
@Suite struct ExecutorCommandLineTests {
    private static func line(
        _ words: String, _ environment: [String: String] = [:], files: [String] = []
    ) throws -> ExecutorCommandLine {
        try ExecutorCommandLine(
            words.split(separator: " ").map(String.init),
            ExecutorCommandLine.Surroundings(
                environment: environment, hasFile: files.contains, absolute: { $0.hasPrefix("/") ? $0 : "/cwd/\($0)" }))
    }

    /// The words of a line of the executor with a destination, without those that every line has.
    private static func words(_ words: String, _ environment: [String: String] = [:], files: [String] = []) throws
        -> String
    {
        let line = try line("-d r.test/n:1 " + words, environment, files: files)
        #expect(line.words.first == "build")
        let usual = ["build", "--tag=r.test/n:1", "--push", "--progress=plain"]
        return line.words.filter { !usual.contains($0) }.joined(separator: " ")
    }

    @Test func theLineOfGitLabsDocumentation() throws {
        let line = try Self.line(
            """
            --context /builds/group/app --dockerfile /builds/group/app/Dockerfile --destination registry.test/g/app:v1
            """.replacing("\n", with: " "), files: ["/builds/group/app/Dockerfile", "/kaniko/.docker/config.json"])
        #expect(
            line.words == [
                "build", "--tag=registry.test/g/app:v1", "--push", "--progress=plain",
                "--file=/builds/group/app/Dockerfile", "/builds/group/app",
            ])
        #expect(line.variables == ["DOCKER_CONFIG": "/kaniko/.docker"])
    }

    @Test(arguments: [
        // Contexts.
        ("", "/workspace/"), ("--context=dir:///src", "/src"), ("-c /src", "/src"), ("-c=dir://.", "."),
        ("-cdir://src", "src"), ("--context tar://stdin", "-"), ("--context tar://c.tar.gz", "tar://c.tar.gz"),
        ("-c s3://b/k.tar.gz", "s3://b/k.tar.gz"), ("-c https://h/k.tar.gz", "https://h/k.tar.gz"),
        ("-c git://h/r", "git+https://h/r?submodules=false"),
        ("-c git://h/r.git#refs/heads/m", "git+https://h/r.git?submodules=false#refs/heads/m"),
        ("-c git://h/r#refs/heads/m#0a1b", "git+https://h/r?submodules=false#0a1b"),
        ("-c git://h/r --git branch=b,recurse-submodules=true", "git+https://h/r?submodules=true#refs/heads/b"),
        ("-c git://h/r#refs/tags/1 --git single-branch=true", "git+https://h/r?submodules=false#refs/tags/1"),
        ("--context-sub-path sub -c /src", "--context-sub-path=sub /src"),
        // Dockerfiles: in the working directory first, then in the context.
        ("-f here -c /src", "--file=/cwd/here /src"), ("-f there -c /src", "--file=/src/there /src"),
        ("-f /abs/none -c /src", "--file=/abs/none /src"), ("-f there -c tar://x", "--file=there tar://x"),
        ("-f https://h/D -c /src", "--file=https://h/D /src"),
        // Flags that mean words.
        (
            "--build-arg A=1 --label=b=2 --target t --custom-platform linux/arm64 -c .",
            "--build-arg=A=1 --label=b=2 --target=t --platform=linux/arm64 ."
        ),
        ("--tar-path o.tar -c .", "--output=type=docker,dest=o.tar ."),
        ("--tar-path a,b.tar -c .", "--output=type=docker,\"dest=a,b.tar\" ."),
        ("--oci-layout-path l -c .", "--output=type=oci,tar=false,dest=l ."),
        ("--digest-file d --image-name-with-digest-file n -c .", "--digest-file=d --image-name-with-digest-file=n ."),
        ("--push-retry 3 --image-download-retry=2 -c .", "--retry=3 --retry=2 ."),
        (
            "--registry-mirror m.test --registry-certificate r=c -c .",
            "--registry-mirror=m.test --registry-certificate=r=c ."
        ),
        (
            "--registry-map docker.io=m.test;q.test=n.test/p -c .",
            "--registry-mirror=docker.io=m.test --registry-mirror=q.test=n.test/p ."
        ),
        ("--insecure -c .", "--insecure-registry=r.test ."), ("--insecure=false -c .", "."),
        ("--skip-tls-verify-pull -c .", "--no-tls-verify ."),
        ("--insecure-registry h:1 -c .", "--insecure-registry=h:1 ."),
        (
            "--single-snapshot --reproducible --compression=zstd --compression-level 3 --ignore-path /x -c .",
            "--squash --timestamp=0 --compression-format=zstd --compression-level=3 --ignore-path=/x ."
        ),
        // Flags that change nothing.
        (
            "--snapshot-mode=redo --use-new-run --single-snapshot=false --cleanup --force --log-timestamp --cache-dir=/cache "
                + "--skip-unused-stages --ignore-var-run=false --reproducible=false --compressed-caching=false -c .",
            "."
        ),
        ("--skip-unused-stages=false -c .", "--skip-unused-stages=false ."),
        // Flags of lamina build.
        ("--secret id=x,src=y --root /r --no-cache -c .", "--secret id=x,src=y --root /r --no-cache ."),
    ])
    func flagsBecomeWordsOfBuild(_ line: String, _ expected: String) throws {
        #expect(try Self.words(line, files: ["here"]) == expected)
    }

    @Test func aLineWithoutAPushNeedsNoDestination() throws {
        #expect(try Self.line("--no-push -c .").words == ["build", "--progress=plain", "."])
        #expect(try Self.line("-c .", ["KANIKO_NO_PUSH": "true"]).words == ["build", "--progress=plain", "."])
        #expect(
            try Self.line("--no-push --destination a --destination=b -c .").words
                == ["build", "--tag=a", "--tag=b", "--progress=plain", "."])
    }

    @Test(arguments: [
        ("--cache -c .", "r.test/n/cache", true), ("--cache=true --no-push-cache -c .", "r.test/n/cache", false),
        ("--cache --cache-repo c.test/x -c .", "c.test/x", true),
    ])
    func aCacheIsARepository(_ line: String, _ repository: String, _ isWritten: Bool) throws {
        let words = try Self.words(line).split(separator: " ").map(String.init)
        let from = try #require(words.first { $0.hasPrefix("--cache-from=type=registry,ref=\(repository):lamina-") })
        let written = from.replacing("--cache-from", with: "--cache-to") + ",mode=max,ignore-error=true"
        #expect(words.contains(written) == isWritten)
        // Another target has another cache.
        let other = try Self.words(line + " --target other").split(separator: " ").map(String.init)
        #expect(!other.contains(from) && other.contains { $0.hasPrefix("--cache-from=") })
    }

    @Test func aCacheMayBeALayout() throws {
        #expect(
            try Self.words("--cache --cache-repo oci:/c -c .")
                == "--cache-from=type=local,src=/c --cache-to=type=local,dest=/c,mode=max,ignore-error=true .")
        #expect(try Self.words("--cache=false --cache-repo x -c .") == ".")
    }

    @Test(arguments: [
        ("--verbosity debug", "--debug --progress=plain"), ("-v info --log-format=text", "--progress=plain"),
        ("-v=error", "--progress=quiet"), ("--log-format json", "--progress=rawjson"),
        ("--progress=tty", "--progress=tty"),
    ])
    func verbosityAndFormatAreThoseOfProgress(_ line: String, _ expected: String) throws {
        let words = try Self.line("--no-push -c . " + line).words.dropFirst().dropLast()
        #expect(words.joined(separator: " ") == expected)
    }

    @Test func loginsComeFromKanikosPlaces() throws {
        let files = ["/kaniko/.docker/config.json", "/k/.docker/config.json"]
        #expect(try Self.line("--no-push", files: files).variables == ["DOCKER_CONFIG": "/kaniko/.docker"])
        #expect(try Self.line("--no-push --kaniko-dir /k", files: files).variables == ["DOCKER_CONFIG": "/k/.docker"])
        #expect(try Self.line("--no-push", ["DOCKER_CONFIG": "/mine"], files: files).variables.isEmpty)
        #expect(try Self.line("--no-push").variables.isEmpty)
        let git = try Self.line("--no-push -c git://h:1/r", ["GIT_USERNAME": "u", "GIT_PASSWORD": "p"])
        #expect(git.words.contains("--secret=id=GIT_AUTH_HEADER.h:1,env=LAMINA_EXECUTOR_GIT_LOGIN"))
        #expect(git.variables == ["LAMINA_EXECUTOR_GIT_LOGIN": "Basic dTpw"])
        let token = try Self.line("--no-push -c git://h/r", ["GIT_TOKEN": "t", "GIT_PASSWORD": "p"])
        #expect(token.variables == ["LAMINA_EXECUTOR_GIT_LOGIN": "Basic dDo="])
        #expect(try Self.line("--no-push -c /w", ["GIT_TOKEN": "t"]).variables.isEmpty)
    }

    @Test func theEnvironmentNamesMirrors() throws {
        let environment = ["KANIKO_REGISTRY_MIRROR": "a,b", "KANIKO_REGISTRY_MAP": "q=c"]
        #expect(
            try Self.words("-c .", environment)
                == "--registry-mirror=a --registry-mirror=b --registry-mirror=q=c .")
    }

    @Test(arguments: [
        ("-c .", "name the image with --destination, or use --no-push"),
        ("--no-push --cache -c .", "--cache with --no-push needs the repository of the cache: --cache-repo"),
        (
            "--no-push -c gs://b/k",
            "--context=gs://b/k is not there: buckets of Google are not read; use an https:// address"
        ),
        ("--no-push -c ftp://h", "--context=ftp://h is not there: use dir://, tar://, git://, s3:// or https://"),
        (
            "--no-push --force-build-metadata",
            "--force-build-metadata is not there: instructions without files make no layers; leave it out"
        ),
        ("--no-push .", "the executor takes no argument '.': name the files of the build with --context"),
        ("--no-push=maybe", "invalid value 'maybe' for --no-push: use true or false"),
        ("--context", "--context needs a value"),
        ("--no-push -v loud", "unknown level 'loud' of --verbosity: use error, warn, info, debug or trace"),
        (
            "--no-push -c git://h/r --git depth=1",
            "--git=depth=1 is not there: use branch, single-branch and recurse-submodules"
        ),
    ])
    func refusalsAreOneSentence(_ line: String, _ message: String) {
        let error = #expect(throws: CommandLineError.self) { try Self.line(line) }
        #expect(error?.message == message)
    }

    /// Every word that the table stands for is one of `lamina build`.
    @Test(arguments: ExecutorFlags.all)
    func whatFlagsMeanIsThere(_ flag: BuilderFlag) throws {
        guard case .means = flag.verdict else { return }
        let grammar = try #require(CommandGrammar.of(["build"]))
        for word in try flag.words(for: flag.form == .value ? "x" : nil) {
            let option = try #require(grammar[word.dropFirst(2).prefix { $0 != "=" }], "\(word)")
            if case .other = option.form { Issue.record("\(word) is no option of the parser") }
        }
    }

    @Test func bothTablesHaveTheFlagsOfTheExecutor() {
        let known = Set(BuilderFlags.all.filter { $0.tools.contains(.kaniko) }.map(\.name))
        #expect(Set(ExecutorFlags.all.map(\.name)) == known)
        #expect(ExecutorFlags.all.count == known.count)
    }

    @Test func versionAndHelpAreThoseOfTheProgram() throws {
        #expect(try Self.line("version").words == ["version"])
        #expect(try Self.line("--help").words == ["executor", "--help"])
    }
}
