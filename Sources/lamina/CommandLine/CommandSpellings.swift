/// Commands of Docker, Buildah and Podman that are spelled otherwise here.
enum CommandSpellings {
    enum Meaning: Hashable, Sendable {
        /// The words of a command of this program.
        case command([String])
        /// Not there; the sentence says why, or what to do instead.
        case refused(String)
    }

    /// The meaning of the first words of a command line, and how many of them it takes.
    static func meaning(of words: ArraySlice<String>) -> (meaning: Meaning, count: Int)? {
        let names = words.prefix(3).prefix { !$0.hasPrefix("-") }
        for count in [3, 2, 1] where names.count >= count {
            if let meaning = table[names.prefix(count).joined(separator: " ")] { return (meaning, count) }
        }
        guard let first = names.first, let sentence = refusedGroups[first] else { return nil }
        return (.refused(sentence), 1)
    }

    /// The second words of a group that are commands here, in order.
    static func members(of group: String) -> [String] {
        table.compactMap { spelling, meaning in
            guard case .command = meaning, spelling.hasPrefix(group + " ") else { return nil }
            return spelling.split(separator: " ").last.map(String.init)
        }.sorted()
    }

    /// The spellings of a group with their meanings, a line each, for help.
    static func list(of group: String) -> String {
        let rows = table.filter { $0.key.hasPrefix(group + " ") }.sorted { $0.key < $1.key }
        let width = rows.map(\.key.count).max() ?? 0
        return rows.compactMap { spelling, meaning in
            guard case .command(let words) = meaning else { return nil }
            return "\(spelling.padding(to: width))  lamina \(words.joined(separator: " "))"
        }.joined(separator: "\n")
    }

    private static let refusedGroups = [
        "attach": "use 'lamina logs -f' to see what a container writes, and 'lamina exec -it' for a shell in it",
        "stats": "limits and use of a command are in 'lamina run --memory' and the control groups of this machine",
        "top": "use 'lamina exec CONTAINER ps'", "pause": "use 'lamina kill -s STOP CONTAINER'",
        "unpause": "use 'lamina kill -s CONT CONTAINER'",
        "network": "containers have the network of this machine, none, or a private one by 'lamina run --network'",
        "swarm": noCluster, "service": noCluster, "stack": noCluster, "node": noCluster, "pod": "there are no pods",
        "kube": noCluster, "play": noCluster, "generate": noCluster, "machine": noCluster,
        "compose": "compose files are not read", "bake": noBake, "events": "there is no daemon; see 'lamina builds ls'",
        "update": "limits are set with 'lamina run' and 'lamina create'",
        "trust": "signatures are not verified; name images by digest", "plugin": "there is no daemon to extend",
        "checkpoint": "there are no checkpoints", "from": "write FROM in a Dockerfile, or use 'lamina create'",
        "mount": noMount, "umount": noMount, "unmount": noMount,
        "unshare": "builds of a plain user enter a user namespace by themselves",
        "scout": "use 'lamina sbom' for the software in an image",
    ]

    private static let noBake = "bake files are not read yet"
    private static let noContexts = "there is no daemon, so there are no contexts to choose from: leave it out"
    private static let noMount =
        "use 'lamina unpack' for the files of an image, and 'lamina cp' for those of a container"
    private static let oneBuilder = "this program is the only builder: leave it out"
    private static let noCluster = "lamina runs containers on this machine only"

    private static let table: [String: Meaning] = {
        var table: [String: Meaning] = [
            "bud": .command(["build"]), "build-using-dockerfile": .command(["build"]),
            "image ls": .command(["images"]), "image list": .command(["images"]),
            "image rm": .command(["rmi"]), "image remove": .command(["rmi"]), "untag": .command(["rmi"]),
            "image build": .command(["build"]), "builder build": .command(["build"]),
            "buildx build": .command(["build"]), "buildx b": .command(["build"]),
            "builder prune": .command(["prune"]), "buildx prune": .command(["prune"]),
            "builder du": .command(["df", "--verbose"]), "buildx du": .command(["df", "--verbose"]),
            "system df": .command(["df"]), "system info": .command(["info"]),
            "container ls": .command(["ps"]), "container list": .command(["ps"]), "container ps": .command(["ps"]),
            "container run": .command(["run"]), "buildx version": .command(["version"]),
            "buildx history ls": .command(["builds", "ls"]), "buildx history logs": .command(["builds", "logs"]),
            "buildx history inspect": .command(["builds", "inspect"]),
            "buildx history rm": .command(["builds", "rm"]),
            "buildx bake": .refused(noBake), "buildx install": .refused(oneBuilder),
            "buildx uninstall": .refused(oneBuilder), "buildx dial-stdio": .refused("there is no daemon"),
            "buildx debug": .refused("use 'lamina build --on-error=shell' for a shell where a command has failed"),
            "system events": .refused("there is no daemon; see 'lamina builds ls'"),
            "system dial-stdio": .refused("there is no daemon"),
            "buildx imagetools create": .command(["index", "create"]),
            "buildx imagetools inspect": .command(["index", "inspect"]),
            "manifest create": .command(["index", "create"]), "manifest add": .command(["index", "add"]),
            "manifest annotate": .command(["index", "annotate"]),
            "manifest remove": .command(["index", "remove"]), "manifest push": .command(["index", "push"]),
            "manifest rm": .command(["rmi"]),
        ]
        for name in ["attach", "stats", "top", "pause", "unpause", "update"] {
            table["container \(name)"] = refusedGroups[name].map(Meaning.refused)
        }
        for name in ["create", "export", "import", "inspect", "ls", "rm", "show", "update", "use"] {
            table["context \(name)"] = .refused(noContexts)
        }
        for name in [
            "commit", "cp", "create", "diff", "exec", "export", "kill", "logs", "port", "rename", "restart", "rm",
            "start", "stop", "wait",
        ] {
            table["container \(name)"] = .command([name])
        }
        table["volume list"] = .command(["volume", "ls"])
        table["volume remove"] = .command(["volume", "rm"])
        table["container remove"] = .command(["rm"])
        table["container inspect"] = .command(["inspect", "--type=container"])
        table["image inspect"] = .command(["inspect", "--type=image"])
        for name in ["history", "import", "load", "pull", "push", "save", "tag"] {
            table["image \(name)"] = .command([name])
        }
        return table
    }()
}
