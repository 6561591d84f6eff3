/// The options of one command, as far as their words must be known before they are parsed.
///
/// The parser does not tell which of its options take a value; a test compares these tables with it.
struct CommandGrammar: Sendable {
    /// The way an option uses the word after it.
    enum Form: Hashable, Sendable {
        /// A switch; `negation` is the option that switches it off, without one it is off by default.
        case flag(negation: String?)
        /// A switch that is always on: `false` is refused with a sentence.
        case alwaysOn(refusal: String)
        /// An option with a value: the rest of the word, or the next word.
        case value
        /// An option with a value that may be left out, in place of which `absent` stands.
        case optionalValue(absent: String)
        /// A switch that may have a value, which is then the one of another option.
        case flagOrValue(of: String)
        /// A flag of another builder, which stands for other words, for none, or is refused.
        case other(BuilderFlag)
    }

    /// An option by its long name, whatever its spelling on the command line.
    struct Option: Hashable, Sendable {
        let name: String
        let form: Form

        /// Whether the rest of a word, or else the next word, is its value.
        var takesValue: Bool {
            switch form {
            case .value: true
            case .other(let flag): flag.form == .value
            case .flag, .alwaysOn, .optionalValue, .flagOrValue: false
            }
        }
    }

    /// Whether the first argument ends the options, as what follows it belongs to another program.
    let endsAtFirstArgument: Bool
    /// The flags of other tools' command of the same name, by their long names.
    private var foreign: [String: BuilderFlag] = [:]
    private var foreignShort: [Character: String] = [:]
    private var long: [String: Option] = [:]
    private var short: [Character: Option] = [:]

    /// Creates a grammar from names separated by spaces; `tag/t` is a long name and a short one.
    ///
    /// The options that every command has are added, and those of commands that reach registries on request; a short name
    /// of the command's own hides one of theirs.
    init(
        flags: String = "", values: String = "", others: [Option] = [], negations: [String: String] = [:],
        reachesRegistries: Bool = false, endsAtFirstArgument: Bool = false
    ) {
        self.endsAtFirstArgument = endsAtFirstArgument
        for option in others { long[option.name] = option }
        add(values, .value)
        for name in flags.split(separator: " ") {
            add(String(name), .flag(negation: negations[String(name.prefix { $0 != "/" })]))
        }
        for name in negations.values { long[name] = Option(name: name, form: .flag(negation: nil)) }
        if reachesRegistries {
            add(Self.registryValues, .value)
            add("offline", .flag(negation: nil))
            add("tls-verify", .flag(negation: "no-tls-verify"))
            add("no-tls-verify", .flag(negation: nil))
            add("skip-default-registry-fallback", .flag(negation: nil))
        }
        add("root", .value)
        for name in ["debug/D", "help/h", "version"] { add(name, .flag(negation: nil)) }
    }

    private mutating func add(_ names: String, _ form: Form) {
        for name in names.split(separator: " ") {
            let spellings = name.split(separator: "/")
            guard let canonical = spellings.first else { continue }
            let option = Option(name: String(canonical), form: form)
            for spelling in spellings {
                if spelling.count > 1 {
                    long[String(spelling)] = option
                } else if let letter = spelling.first, short[letter] == nil {
                    short[letter] = option
                }
            }
        }
    }

    /// The option of a long name, without dashes.
    subscript(name: some StringProtocol) -> Option? {
        if let option = long[String(name)] { return option }
        guard let flag = foreign[String(name)] else { return nil }
        return Option(name: flag.name, form: .other(flag))
    }

    subscript(letter: Character) -> Option? { short[letter] ?? foreignShort[letter].flatMap { self[$0] } }

    /// All spellings with dashes, for the comparison with the parser.
    var spellings: [String: Option] {
        var all: [String: Option] = [:]
        for (name, option) in long { all["--\(name)"] = option }
        for (letter, option) in short { all["-\(letter)"] = option }
        return all
    }
}

extension CommandGrammar {
    private static let registryValues = """
        insecure-registry allow-auth-realm registry-mirror cert-dir registry-certificate registry-client-cert authfile \
        retry retry-delay
        """

    private static let indexChanges = "annotation os arch variant os-version os-features"

    /// Options of one end of a copy, and of its form.
    private static let endFlags = "src-tls-verify dest-tls-verify src-no-creds dest-no-creds"
    private static let endValues = """
        dest-compress-format dest-compress-level src-creds dest-creds src-authfile dest-authfile src-cert-dir \
        dest-cert-dir src-registry-token dest-registry-token
        """
    private static let endNegations = ["src-tls-verify": "no-src-tls-verify", "dest-tls-verify": "no-dest-tls-verify"]

    private static let commands = """
        allow cap-add cap-drop security-opt device ulimit shm-size resource memory/m memory-swap cpus cpu-shares/c \
        cpu-quota cpu-period cpuset-cpus cpuset-mems pids-limit cgroup-parent network/net add-host dns dns-search \
        dns-option volume/v mount isolation
        """

    /// The grammar of a command named by its words, e.g. `builds ls`; `nil` if the command has no options of its own.
    static func of(_ command: [String]) -> CommandGrammar? {
        var grammar = own(command)
        grammar?.foreign = CommandFlags.of(command)
        grammar?.foreignShort = CommandFlags.short[command.joined(separator: " ")] ?? [:]
        return grammar
    }

    private static func own(_ command: [String]) -> CommandGrammar? {
        switch command.joined(separator: " ") {
        case "build": build()
        case "verify-build": build(values: "report")
        case "rebuild":
            CommandGrammar(
                values: "context secret ssh platform progress report", reachesRegistries: true)
        case "run": run("detach/d")
        case "create": run("")
        case "ps":
            CommandGrammar(
                flags: "all/a quiet/q no-trunc size/s latest/l", values: "last/n filter/f format")
        case "logs": CommandGrammar(flags: "follow/f timestamps/t", values: "tail/n since until")
        case "exec":
            CommandGrammar(
                flags: "interactive/i tty/t detach/d privileged", values: "env/e env-file user/u workdir/w",
                endsAtFirstArgument: true)
        case "start": CommandGrammar(flags: "attach/a interactive/i")
        case "stop": CommandGrammar(values: "time/timeout/t signal/s")
        case "restart": CommandGrammar(values: "time/timeout/t")
        case "kill": CommandGrammar(values: "signal/s")
        case "rm": CommandGrammar(flags: "force/f volumes/v")
        case "container prune": CommandGrammar(flags: "force/f", values: "filter format")
        case "cp": CommandGrammar(flags: "archive/a follow-link/L quiet/q")
        case "commit":
            CommandGrammar(
                flags: "quiet/q pause/p", values: "change/c message/m author/a", negations: ["pause": "no-pause"])
        case "volume create": CommandGrammar(values: "label")
        case "volume ls": CommandGrammar(flags: "quiet/q", values: "filter/f format")
        case "volume inspect": CommandGrammar(values: "format/f")
        case "volume rm": CommandGrammar(flags: "force/f")
        case "volume prune": CommandGrammar(flags: "all/a force/f", values: "format")
        case "port": CommandGrammar(values: "format")
        case "wait", "rename", "supervise": CommandGrammar()
        case "images": CommandGrammar(flags: "all/a quiet/q no-trunc digests", values: "filter/f format")
        case "image prune": CommandGrammar(flags: "all/a force/f", values: "filter format")
        case "history":
            CommandGrammar(
                flags: "human/H quiet/q no-trunc verbose/v", values: "format platform",
                negations: ["human": "no-human"], reachesRegistries: true)
        case "inspect":
            CommandGrammar(
                flags: "raw config no-tags/n size/s", values: "format/f type platform creds",
                reachesRegistries: true)
        case "explain": CommandGrammar(values: "format/f output/o")
        case "list-tags": CommandGrammar(values: "format creds", reachesRegistries: true)
        case "catalog": CommandGrammar(flags: "full-ref", values: "creds format", reachesRegistries: true)
        case "delete": CommandGrammar(values: "creds", reachesRegistries: true)
        case "search":
            CommandGrammar(flags: "no-trunc", values: "limit filter/f format creds", reachesRegistries: true)
        case "digest": CommandGrammar(values: "platform creds format", reachesRegistries: true)
        case "manifest inspect": CommandGrammar(flags: "verbose/v", values: "creds", reachesRegistries: true)
        case "analyze":
            CommandGrammar(
                flags: "ci advise dive-json",
                values: """
                    format output/o platform paths baseline ci-config lowestEfficiency highestWastedBytes highestUserWastedPercent
                    """, reachesRegistries: true)
        case "diff":
            CommandGrammar(
                flags: "exit-code ignore-times", values: "format output/o platform files", reachesRegistries: true)
        case "ls": CommandGrammar(flags: "recursive/R", values: "layer platform format", reachesRegistries: true)
        case "cat", "extract": CommandGrammar(values: "layer platform", reachesRegistries: true)
        case "check-lazy": CommandGrammar(values: "format platform creds", reachesRegistries: true)
        case "sbom": CommandGrammar(values: "format", reachesRegistries: true)
        case "mutate":
            CommandGrammar(
                flags: "provenance",
                values: """
                    tag/t platform env/e unsetenv label/l unsetlabel entrypoint cmd user/u workdir/w stop-signal expose \
                    author annotation unsetannotation strip squash
                    """, reachesRegistries: true)
        case "append": CommandGrammar(flags: "provenance", values: "tag/t platform to", reachesRegistries: true)
        case "flatten": CommandGrammar(flags: "provenance", values: "tag/t platform", reachesRegistries: true)
        case "rebase": CommandGrammar(flags: "provenance", values: "tag/t platform old-base", reachesRegistries: true)
        case "rechunk":
            CommandGrammar(
                flags: "provenance", values: "tag/t platform base former max-layers", reachesRegistries: true)
        case "find": CommandGrammar(flags: "regex/E null/0", values: "layer platform format", reachesRegistries: true)
        case "rmi": CommandGrammar(flags: "force/f")
        case "pull":
            CommandGrammar(
                flags: "quiet/q all-platforms all-tags/a", values: "platform creds format progress",
                reachesRegistries: true)
        case "push":
            CommandGrammar(
                flags: "quiet/q all-tags/a", values: "platform creds format progress", reachesRegistries: true)
        case "login":
            CommandGrammar(flags: "password-stdin get-login", values: "username/u password/p", reachesRegistries: true)
        case "logout": CommandGrammar(flags: "all/a", values: "authfile")
        case "copy":
            CommandGrammar(
                flags: "all/a quiet/q preserve-digests referrers \(endFlags)",
                values: "platform format/f digestfile \(endValues)", negations: endNegations, reachesRegistries: true)
        case "sync":
            CommandGrammar(
                flags: "all/a quiet/q preserve-digests referrers scoped keep-going dry-run \(endFlags)",
                values: "src/s dest/d append-suffix platform format/f \(endValues)", negations: endNegations,
                reachesRegistries: true)
        case "index create":
            CommandGrammar(
                flags: "append/amend/a force dry-run quiet/q", values: "tag/t annotation digestfile creds",
                reachesRegistries: true)
        case "index add":
            CommandGrammar(flags: "replace", values: "\(indexChanges) creds", reachesRegistries: true)
        case "index annotate": CommandGrammar(values: "\(indexChanges) creds", reachesRegistries: true)
        case "index remove": CommandGrammar(values: "creds", reachesRegistries: true)
        case "index inspect": CommandGrammar(flags: "raw", values: "format creds", reachesRegistries: true)
        case "index push":
            CommandGrammar(flags: "purge/rm/p quiet/q", values: "digestfile creds", reachesRegistries: true)
        case "save":
            CommandGrammar(flags: "quiet/q", values: "output/o format platform progress", reachesRegistries: true)
        case "load": CommandGrammar(flags: "quiet/q", values: "input/i format platform progress")
        case "doctor", "config", "config show": CommandGrammar(values: "format")
        case "import": CommandGrammar(values: "change/c message/m platform retry retry-delay")
        case "export": CommandGrammar(values: "output/o platform", reachesRegistries: true)
        case "unpack": CommandGrammar(flags: "bundle", values: "platform", reachesRegistries: true)
        case "executor", "tag", "completion", "manual", "buildx use", "buildx stop": CommandGrammar()
        case "buildx ls": CommandGrammar(values: "format")
        case "buildx create": CommandGrammar(flags: "use bootstrap", values: "name")
        case "buildx inspect": CommandGrammar(flags: "bootstrap")
        case "buildx rm": CommandGrammar(flags: "force/f")
        case "version", "info": CommandGrammar(values: "format/f")
        case "builds", "builds ls": CommandGrammar(flags: "quiet/q no-trunc", values: "last/n filter/f format")
        case "builds inspect": CommandGrammar(flags: "timings", values: "format/f trace")
        case "builds logs": CommandGrammar(flags: "follow/f")
        case "builds rm": CommandGrammar(flags: "all")
        case "df": CommandGrammar(flags: "verbose/v", values: "format")
        case "prune":
            CommandGrammar(
                flags: "all/a force/f cache-mounts dry-run",
                values: "filter until format keep-storage/reserved-space/max-used-space")
        case "system prune": CommandGrammar(flags: "all/a force/f volumes", values: "filter format")
        case "fsck": CommandGrammar(flags: "repair full quiet/q", values: "format")
        case "parse": CommandGrammar(flags: "compact")
        case "expand": CommandGrammar(flags: "split unset", values: "env/e escape mode format")
        case "context": CommandGrammar(values: "file/f sort format why")
        case "fmt": CommandGrammar(flags: "check write/w quiet/q")
        default: nil
        }
    }

    /// The options of `build`, and further ones with a value of a command that has them all.
    private static func build(values: String = "") -> CommandGrammar {
        CommandGrammar(
            flags: """
                no-cache quiet/q push builder-annotation timings check http-proxy inherit-labels omit-history \
                force-compression rewrite-timestamp reproducible skip-unused-stages squash squash-all stdin
                """,
            values: """
                tag/t file/f target build-arg build-arg-file platform os arch variant build-context context-sub-path \
                ignorefile label env unsetenv unsetlabel from lock secret ssh no-cache-filter cache-ttl progress logfile \
                output/o iidfile iidfile-raw digest-file image-name-with-digest-file image-name-tag-with-digest-file \
                metadata-file format timestamp compression-format compression-level estargz-prefetch annotation attest \
                attest-as call explain-format trace timeout on-error hostname cache-from cache-to jobs/j gc ignore-path \
                \(commands) \(values)
                """,
            others: [
                Option(name: "pull", form: .optionalValue(absent: "always")),
                Option(name: "provenance", form: .optionalValue(absent: "true")),
                Option(name: "sbom", form: .optionalValue(absent: "true")),
                Option(name: "explain", form: .flagOrValue(of: "explain-format")),
            ],
            negations: [
                "builder-annotation": "no-builder-annotation", "inherit-labels": "no-inherit-labels",
                "skip-unused-stages": "no-skip-unused-stages",
            ],
            reachesRegistries: true)
    }

    private static let container = """
        env/e env-file workdir/w user/u entrypoint hostname/h pull platform name label/l publish/p tmpfs cidfile \
        stop-signal stop-timeout restart
        """

    private static func run(_ flags: String) -> CommandGrammar {
        CommandGrammar(
            flags: "interactive/i tty/t quiet/q read-only privileged init no-healthcheck rm \(flags)",
            values: "\(container) \(commands)", negations: ["rm": "no-rm"], reachesRegistries: true,
            endsAtFirstArgument: true)
    }
}
