import OCI
import Registry

/// A command line of kaniko's executor, as words of `lamina build`.
///
/// Flags of `lamina build` that kaniko does not have, such as `--secret` and `--root`, pass as they are.
struct ExecutorCommandLine {
    /// The machine as far as the meaning of a command line depends on it.
    struct Surroundings {
        var environment: [String: String]
        /// Whether there is a file.
        var hasFile: (String) -> Bool
        /// The path that a relative one means.
        var absolute: (String) -> String
    }

    /// The words, without the program's name.
    private(set) var words: [String] = []
    /// Variables that the build needs and that the environment does not have.
    private(set) var variables: [String: String] = [:]

    private var values: [String: [String]] = [:]
    private var passed: [String] = []
    private let surroundings: Surroundings

    /// - Throws: ``CommandLineError`` for flags that are not there, and for what the executor cannot do either.
    init(_ words: [String], _ surroundings: Surroundings) throws(CommandLineError) {
        self.surroundings = surroundings
        switch words.first {
        case "version" where words.count == 1: self.words = ["version"]
        case "help", "--help", "-h": self.words = ["executor", "--help"]
        default:
            try read(words[...])
            try translate()
        }
    }

    // MARK: Flags

    private mutating func read(_ words: ArraySlice<String>) throws(CommandLineError) {
        var rest = words
        while let word = rest.popFirst() {
            if word.hasPrefix("--"), word.count > 2 {
                let name = String(word.dropFirst(2).prefix { $0 != "=" })
                try take(
                    name, value: word.count == name.count + 2 ? nil : String(word.dropFirst(name.count + 3)), &rest)
            } else if let letter = word.dropFirst().first, word.hasPrefix("-"), let name = ExecutorFlags.short[letter] {
                let joined = word.dropFirst(2)
                let value = joined.first == "=" ? joined.dropFirst() : joined
                try take(name, value: joined.isEmpty ? nil : String(value), &rest)
            } else if word.hasPrefix("-"), word.count > 1, word != "--" {
                passed.append(word)
            } else {
                throw CommandLineError(
                    message: "the executor takes no argument '\(word)': name the files of the build with --context")
            }
        }
    }

    private mutating func take(
        _ name: String, value: String?, _ rest: inout ArraySlice<String>
    ) throws(CommandLineError) {
        guard let flag = ExecutorFlags[name] else { return pass(name, value: value, &rest) }
        let value = value ?? (flag.form == .value ? rest.popFirst() : nil)
        guard flag.form != .value || value != nil else { throw .missingValue("--\(name)") }
        if case .works = flag.verdict {
            if flag.form == .flag, Truth.value(of: value ?? "true") == nil {
                throw .badSwitch("--\(name)", value ?? "")
            }
            values[name, default: []].append(value ?? "true")
        } else {
            passed += try flag.words(for: value)
        }
    }

    private mutating func pass(_ name: String, value: String?, _ rest: inout ArraySlice<String>) {
        passed.append(value.map { "--\(name)=\($0)" } ?? "--\(name)")
        if value == nil, CommandGrammar.of(["build"])?[name]?.form == .value, let next = rest.popFirst() {
            passed.append(next)
        }
    }

    private func last(_ name: String) -> String? { values[name]?.last.flatMap { $0.isEmpty ? nil : $0 } }

    private func isOn(_ name: String) -> Bool { last(name).flatMap(Truth.value) ?? false }

    private func variable(_ name: String) -> String? {
        surroundings.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Words

    private mutating func translate() throws(CommandLineError) {
        var context = try ExecutorContext(
            last("context") ?? "/workspace/", git: last("git"), environment: surroundings.environment)
        context.findDockerfile(last("dockerfile"), surroundings)
        useLogins(of: context)
        var words = ["build"] + passed
        // Without the flag kaniko builds them all, which changes no image.
        if last("skip-unused-stages").flatMap(Truth.value) == false { words.append("--skip-unused-stages=false") }
        words += try pushWords()
        words += try cacheWords(context)
        words += registryWords()
        words += try progressWords()
        self.words = words + context.words + [context.location]
    }

    private var destinations: [String] { (values["destination"] ?? []).filter { !$0.isEmpty } }

    private var pushes: Bool {
        // As in kaniko, the variable goes before the flag.
        !(variable("KANIKO_NO_PUSH").flatMap(Truth.value) ?? isOn("no-push"))
    }

    private func pushWords() throws(CommandLineError) -> [String] {
        guard !pushes || !destinations.isEmpty else {
            throw CommandLineError(message: "name the image with --destination, or use --no-push")
        }
        return destinations.map { "--tag=\($0)" } + (pushes ? ["--push"] : [])
    }

    /// Kaniko has a cache where it is asked for; each step of one that is read and left is a layer of an image.
    private func cacheWords(_ context: ExecutorContext) throws(CommandLineError) -> [String] {
        guard isOn("cache") else { return [] }
        let spec: (from: String, to: String)
        if let repository = last("cache-repo"), repository.hasPrefix("oci:") {
            let path = String(repository.dropFirst("oci:".count))
            spec = ("type=local,src=\(path)", "type=local,dest=\(path)")
        } else {
            let own = destinations.first.flatMap { try? ImageReference(parsing: $0) }.map { "\($0.name)/cache" }
            guard let repository = last("cache-repo") ?? own else {
                throw CommandLineError(
                    message: "--cache with --no-push needs the repository of the cache: --cache-repo")
            }
            // Builds of one repository for other targets have caches of their own.
            let parts = [last("dockerfile") ?? "", context.kind] + passed.filter(Self.tellsBuildsApart)
            let tag = "lamina-\(Digest(of: parts.joined(separator: "\n")).hex.prefix(12))"
            spec = ("type=registry,ref=\(repository):\(tag)", "type=registry,ref=\(repository):\(tag)")
        }
        let exports = isOn("no-push-cache") ? [] : ["--cache-to=\(spec.to),mode=max,ignore-error=true"]
        return ["--cache-from=\(spec.from)"] + exports
    }

    private static func tellsBuildsApart(_ word: String) -> Bool {
        ["--target=", "--platform=", "--context-sub-path="].contains { word.hasPrefix($0) }
    }

    /// The hosts of the images that are pushed need no proof with `--insecure`; others still do.
    private func registryWords() -> [String] {
        var words: [String] = []
        if isOn("insecure") || isOn("skip-tls-verify") {
            let images = destinations + (last("cache-repo").map { [$0] } ?? [])
            let hosts = images.compactMap { try? ImageReference(parsing: $0).registry }
            words += Set(hosts).sorted().map { "--insecure-registry=\($0)" }
        }
        for mirror in variable("KANIKO_REGISTRY_MIRROR")?.split(separator: ",") ?? [] {
            words.append("--registry-mirror=\(mirror)")
        }
        for map in (values["registry-map"] ?? []) + (variable("KANIKO_REGISTRY_MAP").map { [$0] } ?? []) {
            words += map.split(separator: ";").map { "--registry-mirror=\($0)" }
        }
        return words
    }

    private func progressWords() throws(CommandLineError) -> [String] {
        let isChosen = passed.contains { $0.hasPrefix("--progress") || $0.hasPrefix("--quiet") }
        var mode = "plain"
        switch last("log-format") ?? "color" {
        case "text", "color": break
        case "json": mode = "rawjson"
        case let format:
            throw CommandLineError(message: "unknown format '\(format)' of --log-format: use text, color or json")
        }
        switch last("verbosity") ?? "info" {
        case "info": return isChosen ? [] : ["--progress=\(mode)"]
        case "debug", "trace": return ["--debug"] + (isChosen ? [] : ["--progress=\(mode)"])
        case "panic", "fatal", "error", "warn", "warning": return isChosen ? [] : ["--progress=quiet"]
        case let level:
            throw CommandLineError(
                message: "unknown level '\(level)' of --verbosity: use error, warn, info, debug or trace")
        }
    }

    // MARK: Logins

    private mutating func useLogins(of context: ExecutorContext) {
        let directory = last("kaniko-dir") ?? variable("KANIKO_DIR") ?? "/kaniko"
        if variable("DOCKER_CONFIG") == nil, surroundings.hasFile("\(directory)/.docker/config.json") {
            variables["DOCKER_CONFIG"] = "\(directory)/.docker"
        }
        guard let host = context.repositoryHost else { return }
        let token = variable("GIT_TOKEN")
        let user = token ?? variable("GIT_USERNAME") ?? ""
        let password = token == nil ? variable("GIT_PASSWORD") ?? "" : ""
        guard !user.isEmpty || !password.isEmpty else { return }
        // A variable, as all users of the machine can see the words of a program.
        variables[Self.gitLogin] = basicAuthorization(user, password)
        passed.append("--secret=id=GIT_AUTH_HEADER.\(host),env=\(Self.gitLogin)")
    }

    private static let gitLogin = "LAMINA_EXECUTOR_GIT_LOGIN"
}
