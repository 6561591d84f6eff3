/// The flags of Docker's other commands that the commands of the same name do not have as options.
enum CommandFlags {
    /// The flags of a command named by its words; none for one that has all of Docker's.
    static func of(_ command: [String]) -> [String: BuilderFlag] {
        switch command.joined(separator: " ") {
        case "build", "verify-build": BuilderFlags.byName
        case "run", "create": ContainerFlags.byName
        case let name: byCommand[name] ?? [:]
        }
    }

    /// The long names of the short ones.
    static let short: [String: [Character: String]] = [
        "run": ["P": "publish-all", "a": "attach"], "create": ["P": "publish-all", "a": "attach"],
        "volume create": ["d": "driver", "o": "opt"], "push": ["a": "all-tags", "f": "format"],
    ]

    private static let byCommand: [String: [String: BuilderFlag]] = [
        "exec": detaching, "start": detaching.merging(checkpoints) { $1 },
        "logs": flags("details", .refused("lamina inspect shows the labels and variables of a container")),
        "rm": flags("link", .refused("there are no links between containers")),
        "restart": flags("signal=", .refused("stop the container with lamina stop -s SIGNAL, and start it")),
        "images": flags("tree", .refused("lamina index inspect shows the platforms of an image")),
        "rmi": flags("no-prune", .accepted(because: "images below others have no record here"))
            .merging(flags("platform=", .refused("an image goes with all its platforms"))) { $1 },
        "pull": trust.merging(pulls) { $1 }, "push": trust.merging(copies) { $1 },
        "volume create": flags(
            "driver=",
            .acceptedAs(["local"], because: "volumes are in the store", otherwise: "volumes are in the store")
        ).merging(flags("opt=", .refused("a volume is a plain directory of the store"))) { $1 },
        "index push": flags("all", .accepted(because: "an index is pushed with all its images"))
            .merging(flags("insecure", .means(["--no-tls-verify"]))) { $1 }
            .merging(flags("remove-signatures", .accepted(because: "no signatures are in the store"))) { $1 }
            .merging(
                flags(
                    "format=",
                    .acceptedAs(
                        ["oci"], because: "an index is sent as it is",
                        otherwise: "an index is sent as it is; leave it out"))
            ) { $1 },
        "index create": flags("insecure", .means(["--no-tls-verify"]))
            .merging(flags("all", .accepted(because: "an index among the images gives all of its own"))) { $1 },
        "index add": flags("all", .accepted(because: "an index among the images gives all of its own")),
        "prune": flags("volumes", .refused("remove volumes with 'lamina volume prune'")),
        "system prune": flags("build external", .accepted(because: "no containers are left by builds")),
        "buildx create": builders, "buildx use": builders, "buildx inspect": builders, "buildx rm": builders,
        "buildx stop": builders, "buildx ls": builders,
        "volume prune": flags("filter=", .refused("name the volumes with lamina volume rm")),
    ]

    private static let detaching = flags(
        "detach-keys=", .refused("a command in the foreground ends with its caller; use -d to leave it behind"))
    private static let checkpoints = flags("checkpoint= checkpoint-dir=", .refused("there are no checkpoints"))
    private static let builders = flags(
        "builder= driver-opt= buildkitd-flags= platform= node= append leave default global keep-daemon keep-state "
            + "all-inactive no-trunc timeout=", .accepted(because: "this program is the only builder")
    )
    .merging(flags("config= buildkitd-config=", .refused("registries and limits are set in config.toml"))) { $1 }
    .merging(
        flags(
            "driver=",
            .acceptedAs(
                ["docker", "docker-container"], because: "builds run on this machine",
                otherwise: "builds run on this machine; leave it out"))
    ) { $1 }
    private static let pulls = flags(
        "policy=",
        .acceptedAs(
            ["always"], because: "the registry is always asked", otherwise: "the registry is always asked; leave it out"
        )
    )
    .merging(flags("os= arch= variant=", .refused("use --platform, as in --platform linux/arm64"))) { $1 }
    private static let copies = flags("digestfile=", .means(["--digestfile=VALUE"]))
        .merging(flags("compression-format=", .means(["--dest-compress-format=VALUE"]))) { $1 }
        .merging(flags("compression-level=", .means(["--dest-compress-level=VALUE"]))) { $1 }
        .merging(flags("all", .accepted(because: "an index is pushed with all its images"))) { $1 }
        .merging(flags("remove-signatures", .accepted(because: "no signatures are in the store"))) { $1 }
        .merging(flags("rm", .refused("remove the index with lamina rmi"))) { $1 }
        .merging(flags("sign-by= sign-by-sigstore=", .refused("sign what is pushed with cosign or skopeo"))) { $1 }
        .merging(flags("encrypt-layer= encryption-key=", .refused("images are not encrypted"))) { $1 }
        .merging(flags("disable-compression", .refused("layers are always compressed for a registry"))) { $1 }
    private static let trust = flags(
        "disable-content-trust",
        .acceptedAs(
            ["true"], because: "no signatures are looked at",
            otherwise: "signatures are not verified; name images by digest"))

    private static func flags(_ names: String, _ verdict: BuilderFlag.Verdict) -> [String: BuilderFlag] {
        let flags = BuilderFlags.flags(names, [.docker], verdict)
        return Dictionary(flags.map { ($0.name, $0) }) { first, _ in first }
    }
}
