import SystemPackage
import Testing

/// Installations, packages and the image that `scripts/install`, `scripts/package` and `scripts/image` make of the program
/// under test.
@Suite("Installation", .enabled(if: Lamina.binary != nil, "there is no lamina"))
struct InstallationTests {
    private let scratch: Scratch
    private let program: FilePath

    init() throws {
        scratch = try Scratch()
        program = try #require(Lamina.binary)
    }

    private func script(_ name: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> Finished
    {
        let path = Lamina.packageRoot.appending("scripts/\(name)").string
        let finished = try RunningProcess([path, "--program", program.string] + arguments, environment: environment)
            .wait()
        guard finished.status == 0 else {
            throw CommandFailure(description: "scripts/\(name) ended with \(finished.status): \(finished.errorText)")
        }
        return finished
    }

    /// Bash's replies to a line, with the installed script.
    private func replies(to line: String, in directory: FilePath, _ prefix: FilePath) throws -> [String] {
        let bash = """
            source "$0/share/bash-completion/completions/lamina"
            COMP_LINE=$1 COMP_POINT=${#1}
            compopt() { :; }
            _lamina
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        return try RunningProcess(
            ["bash", "-euc", bash, prefix.string, line],
            environment: [
                "PATH": "\(prefix)/bin:/usr/bin:/bin", "LAMINA_ROOT": scratch.path.appending("store").string,
            ],
            in: directory
        ).wait().outputLines
    }

    @Test func theShellCompletesFromTheDockerfileAndTheStore() throws {
        let prefix = scratch.path.appending("prefix")
        _ = try script("install", ["--prefix", prefix.string])
        let context = try scratch.context("ARG VERSION=1\nFROM scratch AS first\nFROM scratch AS second\nARG OTHER\n")
        #expect(try replies(to: "lamina build --target ", in: context, prefix) == ["first", "second"])
        #expect(try replies(to: "lamina build --target=f", in: context, prefix) == ["first"])
        #expect(try replies(to: "lamina build --build-arg V", in: "/", prefix) == [""])
        #expect(try replies(to: "lamina build --build-arg V", in: context, prefix) == ["VERSION="])
        #expect(try replies(to: "lamina pu", in: context, prefix) == ["pull", "push"])
        let store = Lamina(root: scratch.path.appending("store"))
        let files = try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "files")
        try store.build(files, "-t", "app:1")
        #expect(try replies(to: "lamina run ap", in: context, prefix) == ["app:1"])
        #expect(try replies(to: "lamina rmi app:", in: context, prefix) == ["1"], "bash breaks words at colons")
        // Another program takes the place of one that runs.
        _ = try script("install", ["--prefix", prefix.string])
    }

    @Test(.enabled(if: Machine.has("man"), "needs man"))
    func manShowsTheCommand() throws {
        let prefix = scratch.path.appending("prefix")
        _ = try script("install", ["--prefix", prefix.string])
        let page = try RunningProcess(
            ["man", "-M", prefix.appending("share/man").string, "lamina-build"],
            environment: ["PATH": "/usr/bin:/bin", "MANWIDTH": "100", "MANPAGER": "cat", "LC_ALL": "C"]
        ).wait()
        #expect(page.outputText.contains("lamina-build - Build an image from a Dockerfile."), "\(page.errorText)")
        #expect(page.outputText.contains("--target stage"))
        #expect(!page.errorText.contains("warning"), "\(page.errorText)")
    }

    @Test(.enabled(if: Machine.has("dpkg-shlibdeps") && Machine.has("dpkg-deb"), "needs dpkg-dev"))
    func theDebianPackageHasProgramAndDependencies() throws {
        let package = try script(
            "package", ["--output", scratch.path.appending("out").string, "deb"], ["DEB_COMPRESSION": "none"]
        ).trimmed
        let depends = try expectSuccess("dpkg-deb", "-f", package, "Depends").outputText
        for name in ["libc6 (>= ", "libcurl4", "liblzma5", "libseccomp2"] {
            #expect(depends.contains(name), "\(depends)")
        }
        // It is what lamina/base is made of.
        #expect(try expectSuccess("dpkg-deb", "-f", package, "Recommends").outputText.contains("busybox-static"))
        let tree = scratch.path.appending("tree")
        try expectSuccess("dpkg-deb", "-x", package, tree.string)
        for file in ["bin/lamina", "share/man/man1/lamina-build.1.gz", "share/bash-completion/completions/lamina"] {
            try expectSuccess("test", "-s", tree.appending("usr/\(file)").string)
        }
        let version = try expectSuccess(tree.appending("usr/bin/lamina").string, "--version").outputText
        #expect(version == (try expectSuccess(program.string, "--version").outputText))
    }

    @Test(
        .enabled(
            if: Machine.canMakeDebian && Machine.has("dpkg-shlibdeps"),
            "needs root, dpkg-dev, and mmdebstrap or a cached base"))
    func thePackageInstallsOnAPlainDebian() throws { try install(on: .bookworm) }

    /// The libraries have other names there, such as libcurl4t64 and libssl3t64.
    @Test(
        .enabled(
            if: Machine.isRoot && Machine.has("mmdebstrap") && Machine.has("dpkg-shlibdeps")
                && DebianBase.Release.trixie.isReachable,
            "needs root, dpkg-dev, mmdebstrap, and a network in which deb.debian.org can be reached"))
    func thePackageInstallsOnTheNextDebian() throws { try install(on: .trixie) }

    /// A plain Debian gets the program with apt: it builds at once, its manual is there, and the shells complete its words.
    private func install(on release: DebianBase.Release) throws {
        let context = try scratch.context(
            """
            FROM \(release.name)
            RUN --mount=target=/context \
                rm -rf /etc/apt/sources.list.d && cp -r /context/apt/. /etc/apt/ && apt-get update -q && \
                DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
                    /context/lamina.deb busybox-static bash-completion man-db zsh fish
            WORKDIR /work
            COPY inner Dockerfile
            ENV LAMINA_ROOT=/tmp/store
            RUN lamina --version && lamina build -q --target one . && lamina build -q . && dpkg --verify lamina
            RUN MANPAGER=cat LC_ALL=C man lamina-build | grep -F 'lamina-build - Build an image from a Dockerfile.'
            # A key completes the stage, or the build finds none of that name.
            RUN printf '. /usr/share/bash-completion/bash_completion\\nlamina build -q --target o\\t. && exit 7\\nexit 1\\n' > /keys
            RUN script -qec 'bash --norc -i' /dev/null < /keys; test $? = 7
            RUN test "$(fish -c 'complete -C "lamina build --target "' | paste -sd,)" = one,two
            RUN <<EOF
            cat > /tmp/zsh <<'ZSH'
            compdef() {}
            _files() { print files }
            _describe() { print -l ${(P)2} $3 }
            source /usr/share/zsh/vendor-completions/_lamina
            words=(lamina build --target "") CURRENT=4
            _lamina
            words=(lamina build --build-arg V) CURRENT=4
            _lamina
            ZSH
            test "$(zsh -f /tmp/zsh | paste -sd,)" = one:one,two:two,VERSION=:VERSION=,-S
            EOF

            """)
        try scratch.write(
            "ARG VERSION\nFROM scratch AS one\nCOPY Dockerfile /\nFROM lamina/base AS two\nRUN echo 1 > /one\n",
            to: "context/inner")
        let package = try script(
            "package", ["--output", scratch.path.appending("out").string, "deb"], ["DEB_COMPRESSION": "none"]
        ).trimmed
        try expectSuccess("cp", package, context.appending("lamina.deb").string)
        try DebianBase.addSources(to: context, for: release)
        try DebianStore.lamina(with: release).build(context)
    }

    /// A directory that somebody has changed their root to may lack it.
    @Test(.enabled(if: Machine.isRoot, Machine.needsRoot))
    func withoutProcItSaysSo() throws {
        let finished = try RunningProcess([
            "unshare", "--mount", "--propagation", "private", "sh", "-c",
            "mount -t tmpfs none /proc || exit 9; \"$0\" --root \"$1\" images; echo $?", program.string,
            scratch.path.appending("store").string,
        ]).wait()
        #expect(finished.outputText == "1\n" && finished.errorLines.count == 1, "\(finished.errorText)")
        #expect(finished.errorText.contains("/proc is not mounted"))
    }

    @Test func theTarballBringsItsLibraries() throws {
        let tarball = try script("package", ["--output", scratch.path.appending("out").string, "tar"]).trimmed
        try expectSuccess("tar", "-C", scratch.path.string, "-xzf", tarball)
        let name = try expectSuccess("sh", "-c", "cd \"$0\" && echo lamina-*", scratch.path.string).trimmed
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n")
        let root = scratch.path.appending(name)
        try expectSuccess("test", "-e", root.appending("lib/lamina/libcurl.so.4").string)
        // A link to the program in another directory finds the libraries as well.
        try expectSuccess("ln", "-s", root.appending("bin/lamina").string, scratch.path.appending("linked").string)
        let build = try RunningProcess(
            [scratch.path.appending("linked").string, "build", "-q", context.string],
            environment: ["LAMINA_ROOT": scratch.path.appending("store").string, "PATH": "/usr/bin:/bin"]
        ).wait()
        #expect(build.status == 0, "\(build.errorText)")
    }

    /// The image in podman, without a privilege, as root and as another user.
    @Test(.enabled(if: Machine.hasPodman, Machine.needsPodman))
    func theImageBuildsInAContainer() throws {
        for target in ["plain", "debug"] { try loadImage(target) }
        let context = try contextWithCommand()
        let files = try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "files")
        try expectSuccess("chmod", "-R", "a+rX", scratch.path.string)
        let name = "lamina-self:plain"
        let asRoot = try Podman.run(name, options: ["-v", "\(context):/workspace:ro"], ["build", "-q", "."])
        #expect(asRoot.status == 0 && asRoot.outputText.hasPrefix("sha256:"), "\(asRoot.errorText)")
        let executor = try Podman.run(
            name, entrypoint: "/kaniko/executor", options: ["-v", "\(context):/workspace:ro"], ["--no-push"])
        #expect(executor.status == 0, "\(executor.errorText)")
        for user in ["1000", "4711:0"] {
            let other = try Podman.run(
                name, options: ["--user", user, "-v", "\(files):/workspace:ro"], ["build", "-q", "."])
            #expect(other.status == 0 && other.outputText.hasPrefix("sha256:"), "\(user): \(other.errorText)")
        }
        let shell = try Podman.run(
            "lamina-self:debug", entrypoint: "", options: ["-v", "\(files):/workspace:ro"],
            ["sh", "-c", "cd /workspace && /kaniko/executor --no-push -c . | cat && lamina images -q | wc -l"])
        #expect(shell.status == 0 && shell.outputLines.last == "1", "\(shell.errorText)")
    }

    /// Builds a target of Lamina's own image with Lamina, and gives it to podman.
    private func loadImage(_ target: String) throws {
        let lamina = Lamina(root: scratch.path.appending("store"))
        _ = try script(
            "image", ["-q", "--target", target, "-t", "lamina-self:\(target)"], ["LAMINA_ROOT": lamina.root.string])
        let archive = scratch.path.appending("\(target).tar")
        try lamina.succeeding("save", "-o", archive.string, "lamina-self:\(target)")
        try Podman.load(archive)
    }

    /// A context with a RUN that needs no other image: there is no busybox in Lamina's own to make lamina/base of.
    private func contextWithCommand() throws -> FilePath {
        let context = try scratch.context(
            "FROM scratch\nCOPY busybox /bin/sh\nRUN echo built > /built\n", named: "run")
        try expectSuccess("sh", "-c", "cp -L \"$(command -v busybox)\" \"$0/busybox\"", context.string)
        return context
    }

    /// The lines of GitLab's page about kaniko and of Tekton's task for Buildah, in a container without privileges, with
    /// a registry that wants a login.
    @Test(.enabled(if: Machine.hasPodman && Machine.hasRegistry, "needs root, podman and docker-registry"))
    func pipelinesOfOtherBuildersPushFromTheImage() throws {
        try loadImage("debug")
        let context = try contextWithCommand()
        let job = """
            mkdir -p /kaniko/.docker
            echo "{\\"auths\\":{\\"${CI_REGISTRY}\\":{\\"auth\\":\\"$(printf "%s:%s" "${CI_REGISTRY_USER}" \
                "${CI_REGISTRY_PASSWORD}" | base64 | tr -d '\\n')\\"}}}" > /kaniko/.docker/config.json
            /kaniko/executor --context "${CI_PROJECT_DIR}" --dockerfile "${CI_PROJECT_DIR}/Dockerfile" \
                --destination "${CI_REGISTRY_IMAGE}:${CI_COMMIT_TAG}" --cache=true --digest-file=/tmp/digest
            export REGISTRY_AUTH_FILE=/kaniko/.docker/config.json
            cd "${CI_PROJECT_DIR}"
            lamina --storage-driver=vfs bud --format=oci --tls-verify=false --no-cache -f ./Dockerfile \
                -t "${CI_REGISTRY_IMAGE}:tekton" .
            lamina --storage-driver=vfs push --tls-verify=false --digestfile /tmp/image-digest \
                "${CI_REGISTRY_IMAGE}:tekton" "docker://${CI_REGISTRY_IMAGE}:tekton"
            cat /tmp/digest && echo && cat /tmp/image-digest
            """
        let file = try scratch.write(job, to: "job.sh")
        try expectSuccess("chmod", "-R", "a+rX", scratch.path.string)
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let variables = [
                "CI_REGISTRY=\(registry.name)", "CI_REGISTRY_USER=\(DockerRegistry.user)",
                "CI_REGISTRY_PASSWORD=\(DockerRegistry.password)", "CI_REGISTRY_IMAGE=\(registry.name)/group/app",
                "CI_PROJECT_DIR=/builds/app", "CI_COMMIT_TAG=v1",
            ].flatMap { ["-e", $0] }
            let volumes = ["-v", "\(context):/builds/app:ro", "-v", "\(file):/job.sh:ro"]
            let finished = try Podman.run(
                "lamina-self:debug", entrypoint: "", options: variables + volumes, ["sh", "-ex", "/job.sh"])
            #expect(finished.status == 0, "\(finished.errorText)")
            #expect(finished.outputLines.suffix(2).allSatisfy { $0.hasPrefix("sha256:") }, "\(finished.outputText)")
            let requests = try registry.requests()
            for tag in ["v1", "tekton"] { #expect(requests.contains("PUT /v2/group/app/manifests/\(tag)"), "\(tag)") }
        }
    }
}
