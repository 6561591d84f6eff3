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
        "volume create": ["d": "driver", "o": "opt"], "push": ["a": "all-tags"],
    ]

    private static let byCommand: [String: [String: BuilderFlag]] = [
        "exec": detaching, "start": detaching.merging(checkpoints) { $1 },
        "logs": flags("details", .refused("lamina inspect shows the labels and variables of a container")),
        "rm": flags("link", .refused("there are no links between containers")),
        "restart": flags("signal=", .refused("stop the container with lamina stop -s SIGNAL, and start it")),
        "images": flags("tree", .refused("lamina index inspect shows the platforms of an image")),
        "rmi": flags("no-prune", .accepted(because: "images below others have no record here"))
            .merging(flags("platform=", .refused("an image goes with all its platforms"))) { $1 },
        "pull": trust, "push": trust.merging(flags("all-tags", .refused("name each tag"))) { $1 },
        "volume create": flags(
            "driver=",
            .acceptedAs(["local"], because: "volumes are in the store", otherwise: "volumes are in the store")
        ).merging(flags("opt=", .refused("a volume is a plain directory of the store"))) { $1 },
        "volume prune": flags("filter=", .refused("name the volumes with lamina volume rm")),
    ]

    private static let detaching = flags(
        "detach-keys=", .refused("a command in the foreground ends with its caller; use -d to leave it behind"))
    private static let checkpoints = flags("checkpoint= checkpoint-dir=", .refused("there are no checkpoints"))
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
