/// The flags of other builders' `build` commands, sorted by name.
///
/// Sources: `docker build --help` (28), buildx `commands/build.go`, `buildah-build(1)`, `podman-build(1)`, kaniko
/// `cmd/executor/cmd/root.go`. A test compares the table with `--help` of the tools that are installed.
enum BuilderFlags {
    static let all: [BuilderFlag] = (common + buildx + containers + registries + kaniko).sorted { $0.name < $1.name }

    static subscript(name: String) -> BuilderFlag? { byName[name] }

    static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    typealias Verdict = BuilderFlag.Verdict

    /// Entries of one verdict: names with their form, `=` for a value and `=?` for one that may be left out.
    static func flags(_ names: String, _ tools: [BuilderFlag.Tool], _ verdict: Verdict) -> [BuilderFlag] {
        names.split { $0 == " " || $0 == "\n" }.map { word in
            let form: BuilderFlag.Form = word.hasSuffix("=?") ? .optionalValue : word.hasSuffix("=") ? .value : .flag
            return BuilderFlag(
                name: String(word.prefix { $0 != "=" }), form: form, tools: tools, verdict: verdict)
        }
    }
}

extension BuilderFlags {
    private static let dockers: [BuilderFlag.Tool] = [.docker, .buildx]
    private static let redHats: [BuilderFlag.Tool] = [.buildah, .podman]
    private static let four: [BuilderFlag.Tool] = [.docker, .buildx, .buildah, .podman]

    /// Flags of several families.
    private static let common: [BuilderFlag] =
        flags("build-arg= label= target=", BuilderFlag.Tool.allCases, .works)
        + flags(
            """
            add-host= cgroup-parent= cpu-period= cpu-quota= cpu-shares= cpuset-cpus= cpuset-mems= file= iidfile= \
            memory= memory-swap= network= no-cache platform= quiet security-opt= shm-size= tag= ulimit=
            """, four, .works)
        + flags("isolation=", four, .works)
        + flags("cache-from=", four, .works)
        + flags("pull=?", four, .works)
        + flags("annotation= build-context= cache-to= output= secret= ssh=", [.buildx] + redHats, .works)
        + flags("metadata-file=", [.buildx] + redHats, .works)
        + flags("cache-ttl=", redHats + [.kaniko], .works)
        + flags("force-rm rm", four, .accepted(because: "no intermediate containers are made"))
        + flags("compress", four, .accepted(because: "no daemon has to be sent the context"))
        + flags(
            "disable-content-trust", [.docker] + redHats,
            .acceptedAs(
                ["true"], because: "no signatures are looked at",
                otherwise: "signatures are not verified; name base images by digest"))
        + flags("squash", four, .works)

    private static let buildx: [BuilderFlag] =
        flags("allow= call= check debug no-cache-filter= progress= push resource=", [.buildx], .works)
        + flags("print=", [.buildx], .means(["--call=VALUE"]))
        + flags("load", [.buildx], .means(["--output=type=docker"]))
        + flags(
            "builder=", [.buildx],
            .accepted(because: "this program is the only builder, and it builds on this machine"))
        + flags("provenance=? attest=", [.buildx], .works)
        + flags("sbom=?", [.buildx, .buildah, .podman], .works)
        + flags("policy=", [.buildx], .refused("source policies are not read; name base images by digest"))
        + flags("invoke=", [.buildx], .refused("use --on-error=shell for a shell where a command has failed"))
        + flags(
            "detach", [.buildx], .refused("there is no daemon that could go on; put the command into the background"))
        + flags("server-config=", [.buildx], .refused("there is no server; leave it out"))

    private static let containers: [BuilderFlag] = steps + results + namespaces

    /// Buildah's flags for the steps of a build.
    private static let steps: [BuilderFlag] =
        flags(
            "cap-add= cap-drop= device= dns= dns-option= dns-search= ignorefile= jobs= volume= mount=", redHats, .works)
        + flags("build-arg-file= env= unsetenv= unsetlabel= inherit-labels from= arch= os= variant=", redHats, .works)
        + flags("http-proxy", redHats, .works)
        + flags("net=", redHats, .works)
        + flags("pull-always", redHats, .means(["--pull=always"]))
        + flags("pull-never", redHats, .means(["--pull=never"]))
        + flags("source-date-epoch=", redHats, .means(["--build-arg=SOURCE_DATE_EPOCH=VALUE"]))
        + flags(
            "layers", redHats,
            .acceptedElse(["true"], because: "every step is a layer and is cached", means: ["--squash"]))
        + flags("skip-unused-stages", redHats + [.kaniko], .works)
        + flags("no-hosts no-hostname", redHats, .refused("/etc/hosts and /etc/hostname are made for each command"))
        + flags("cpp-flag=", redHats, .refused("no preprocessor is run; give values with --build-arg"))
        + flags(
            "hooks-dir= runtime= runtime-flag=", redHats,
            .refused("commands are run without an OCI runtime; leave it out"))
        + flags(
            "compat-volumes", redHats,
            .refused("what RUN writes below a VOLUME is kept, as with BuildKit; put VOLUME after it"))
        + flags("stdin", redHats, .works)
        + flags("transient-run-mounts=", redHats, .refused("use --mount, which applies to every RUN"))
        + flags("group-add=", redHats, .refused("groups of the caller are not kept; use USER"))
        + flags("log-rusage rusage-logfile=", redHats, .refused("use --timings or --trace"))
        + flags("loglevel=", redHats, .accepted(because: "Buildah ignores it, too"))

    /// Buildah's flags for the image that is made.
    private static let results: [BuilderFlag] =
        flags("omit-history", redHats, .works)
        + flags("logfile= iidfile-raw=", redHats, .works)
        + flags("logsplit", redHats, .refused("--logfile has the progress of all platforms, each step with its own"))
        + flags("format= compression-format= force-compression", redHats, .works)
        + flags("compression-level=", redHats + [.kaniko], .works)
        + flags(
            "disable-compression", redHats,
            .accepted(because: "layers of the store are not compressed, and those of a push always are"))
        + flags("rewrite-timestamp timestamp=", redHats, .works)
        + flags("squash-all", [.podman], .works)
        + flags("all-platforms", redHats, .refused("name the platforms, as in --platform linux/amd64,linux/arm64"))
        + flags(
            "manifest=", redHats,
            .refused(
                "several platforms in --platform make an index, and lamina index joins images that were built one by one"
            )
        )
        + flags(
            "identity-label", redHats,
            .acceptedAs(
                ["false"], because: "no such label is made",
                otherwise: "the annotation dev.lamina.version says what built the image"))
        + flags(
            "created-annotation", redHats,
            .acceptedAs(
                ["false"], because: "no such annotation is made",
                otherwise: "use --annotation org.opencontainers.image.created=TIME"))
        + flags(
            "inherit-annotations", redHats,
            .acceptedAs(
                ["false"], because: "annotations of the base are not inherited",
                otherwise: "annotations of the base are not inherited; set them with --annotation"))
        + flags("unsetannotation=", redHats, .accepted(because: "annotations of the base are not inherited"))
        + flags(
            "layer-label=", redHats,
            .accepted(because: "it is for images of single steps, and as with --layers=false none are kept"))
        + flags(
            "stage-labels save-stages", redHats,
            .refused("one image is kept; name a stage with --target and -t, and its steps come from the cache"))
        + flags("os-feature= os-version=", redHats, .refused("they are for Windows; images here are for Linux"))
        + flags("cw=", redHats, .refused("disks for confidential machines are not made"))
        + flags(
            """
            sbom-image-output= sbom-image-purl-output= sbom-merge-strategy= sbom-output= sbom-purl-output= \
            sbom-scanner-command= sbom-scanner-image=
            """, redHats,
            .refused("no scanner is run; --sbom attaches the list of packages, and lamina sbom prints it"))

    private static let namespaces: [BuilderFlag] =
        flags(
            "pid= ipc= uts= cgroupns=", redHats,
            .acceptedAs(
                ["private"], because: "commands have their own",
                otherwise: "commands have namespaces of their own; use --isolation=chroot for those of the host"))
        + flags(
            "userns= userns-uid-map= userns-gid-map= userns-uid-map-user= userns-gid-map-group=", redHats,
            .refused("the user namespace is chosen with --isolation; its ids are those of /etc/subuid and /etc/subgid"))
        + flags("cni-config-dir= cni-plugin-path=", redHats, .refused("CNI is not used; see --network"))
}
