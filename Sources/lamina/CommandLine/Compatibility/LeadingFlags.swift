/// The flags that docker, buildx, buildah and podman take before the command, and their meaning here.
enum LeadingFlags {
    /// A flag with its short name.
    struct Entry: Sendable {
        /// The consequence of a flag.
        enum Effect: Hashable, Sendable {
            /// The value becomes the one of a variable of the environment.
            case variable(String)
            case verdict(BuilderFlag.Verdict)
        }

        let flag: BuilderFlag
        let letter: Character?
        let effect: Effect
    }

    /// The words of a command line without these flags, and the variables that they set.
    struct Taken: Equatable, Sendable {
        var words: [String] = []
        var variables: [String: String] = [:]
    }

    static let all: [Entry] = (dockers + redHats).sorted { $0.flag.name < $1.flag.name }

    /// Takes the flags before the command, and those between `buildx` and its command.
    ///
    /// - Throws: ``CommandLineError`` with a sentence for what is not there.
    static func taken(from words: [String]) throws(CommandLineError) -> Taken {
        var taken = Taken()
        var rest = words[...]
        try take(&rest, into: &taken)
        if rest.first == "buildx" {
            taken.words.append(rest.removeFirst())
            var group = Taken()
            try take(&rest, into: &group)
            // Options of all commands come after the command here, and its words are not known yet.
            taken.words.insert(contentsOf: group.words, at: taken.words.count - 1)
        }
        taken.words += rest
        return taken
    }

    private static func take(_ rest: inout ArraySlice<String>, into taken: inout Taken) throws(CommandLineError) {
        let grammar = CommandGrammar()
        while let word = rest.first, word.hasPrefix("-"), word != "-", word != "--" {
            let (entry, attached) = entry(for: word)
            guard let entry else {
                // An option of all commands stays, with its value.
                let name = word.drop { $0 == "-" }.prefix { $0 != "=" }
                let option =
                    word.hasPrefix("--") ? grammar[name] : word.count == 2 ? name.first.flatMap { grammar[$0] } : nil
                guard let option, !["help", "version"].contains(option.name) else { return }
                taken.words.append(rest.removeFirst())
                if option.takesValue, !word.contains("="), let value = rest.popFirst() { taken.words.append(value) }
                continue
            }
            rest.removeFirst()
            var value = attached
            if entry.flag.form == .value, value == nil {
                guard let next = rest.popFirst() else { throw .missingValue("--\(entry.flag.name)") }
                value = next
            }
            switch entry.effect {
            case .variable(let name): taken.variables[name] = value ?? ""
            case .verdict: taken.words += try entry.flag.words(for: value)
            }
        }
    }

    /// The flag of a word, and the value that the word has.
    private static func entry(for word: String) -> (Entry?, value: String?) {
        if word.hasPrefix("--") {
            let name = word.dropFirst(2).prefix { $0 != "=" }
            let value = name.endIndex == word.endIndex ? nil : String(word[name.endIndex...].dropFirst())
            return (all.first { $0.flag.name == name }, value)
        }
        guard let letter = word.dropFirst().first, let entry = all.first(where: { $0.letter == letter }) else {
            return (nil, nil)
        }
        let value = word.dropFirst(2)
        if value.isEmpty { return (entry, nil) }
        return (entry.flag.form == .value || value.hasPrefix("=") ? entry : nil, String(value.drop { $0 == "=" }))
    }
}

extension LeadingFlags {
    private static func entries(
        _ names: String, _ tools: [BuilderFlag.Tool], _ verdict: BuilderFlag.Verdict, letter: Character? = nil
    ) -> [Entry] {
        BuilderFlags.flags(names, tools, verdict).map { Entry(flag: $0, letter: letter, effect: .verdict(verdict)) }
    }

    private static func variable(_ name: String, _ tools: [BuilderFlag.Tool], _ variable: String) -> [Entry] {
        BuilderFlags.flags(name, tools, .works).map { Entry(flag: $0, letter: nil, effect: .variable(variable)) }
    }

    private static let noDaemon = "there is no daemon"
    private static let both: [BuilderFlag.Tool] = [.buildah, .podman]
    private static let noRuntime = "commands are run without an OCI runtime; leave it out"
    private static let noService = "there is no service; leave it out to work on this machine"

    private static let dockers: [Entry] =
        variable("config=", [.docker], "DOCKER_CONFIG")
        + variable("host=", [.docker], "DOCKER_HOST").map { Entry(flag: $0.flag, letter: "H", effect: $0.effect) }
        + entries(
            "context=", [.docker], .acceptedAs(["default"], because: "it is this machine", otherwise: noService),
            letter: "c")
        + entries("tls tlsverify tlscacert= tlscert= tlskey=", [.docker], .accepted(because: noDaemon))
        + entries(
            "builder=", [.buildx],
            .accepted(because: "this program is the only builder, and it builds on this machine"))
        + entries(
            "log-level=", [.docker] + both, .accepted(because: "warnings are always printed; use --debug for more"),
            letter: "l")

    private static let redHats: [Entry] =
        variable("registries-conf=", both, "CONTAINERS_REGISTRIES_CONF")
        + entries(
            "storage-driver= storage-opt= runroot= imagestore= transient-store tmpdir=", both,
            .accepted(because: "the store has one form, in the directory of --root"))
        + entries(
            "cgroup-manager= events-backend= conmon= syslog ssh= network-cmd-path=", both,
            .accepted(because: "no other program is needed for it"))
        + entries(
            "registries-conf-dir= short-name-alias-conf=", both,
            .refused("write all in one file, and name it with --registries-conf"))
        + entries(
            "userns-uid-map= userns-gid-map=", both,
            .refused(
                "the user namespace is chosen with --isolation; its ids are those of /etc/subuid and /etc/subgid"))
        + entries("hooks-dir= runtime-flag=", both, .refused(noRuntime))
        + entries(
            "runtime=", both,
            .acceptedAs(["runc", "crun"], because: "a command has the same walls", otherwise: noRuntime))
        + entries("remote", both, .refused(noService), letter: "r")
        + entries("url= connection= identity=", both, .refused(noService))
        + entries("namespace= volumepath=", both, .refused("name another store with --root"))
        + entries("network-config-dir=", both, .refused("CNI is not used; see --network"))
        + entries("noout", both, .refused("send the standard output to /dev/null"))
}
