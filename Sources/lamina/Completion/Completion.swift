import ArgumentParser
import OCI

/// The words that may stand where a command line ends, for the shells' completion.
struct Completion {
    /// A word with a description; without one for values that say it all.
    struct Candidate: Hashable {
        let word: String
        var description = ""
    }

    /// The names that are known from outside the command line.
    struct Sources {
        var images: () -> [String]
        var builds: () -> [String]
        /// The names of the stages of a Dockerfile, and of its build arguments, by its path.
        var stages: (_ dockerfile: String) -> [String]
        var arguments: (_ dockerfile: String) -> [String]
        var topics: () -> [String]
        /// The names of containers; those that run alone if so asked.
        var containers: (_ areRunning: Bool) -> [String] = { _ in [] }
        var volumes: () -> [String] = { [] }
    }

    let sources: Sources
    var commands: [any ParsableCommand.Type] = Lamina.configuration.subcommands

    /// The candidates for the last of the words, which may be empty; none where a path is meant.
    func candidates(for words: [String]) -> [Candidate] {
        guard let last = words.last else { return [] }
        return all(before: Array(words.dropLast()), last).filter { $0.word.hasPrefix(last) }
    }

    private func all(before words: [String], _ last: String) -> [Candidate] {
        let (command, rest, known) = command(of: words)
        let isGroup = command.count == 1 && !CommandSpellings.members(of: command[0]).isEmpty
        if !known.isEmpty || isGroup, rest.isEmpty, !last.hasPrefix("-") {
            return members(known, of: command)
        }
        if command == ["help"] { return members(commands, of: []) + sources.topics().map { Candidate(word: $0) } }
        if command == ["executor"] { return executor(rest, last) }
        guard let grammar = CommandGrammar.of(command) ?? (command.isEmpty ? CommandGrammar() : nil) else { return [] }
        if let equals = last.firstIndex(of: "="), last.hasPrefix("--") {
            let name = last[..<equals].dropFirst(2)
            return values(of: grammar[name]?.name ?? "", rest).map {
                Candidate(word: "\(last[...equals])\($0.word)", description: $0.description)
            }
        }
        if let option = rest.last.flatMap({ Self.valued($0, grammar) }) { return values(of: option, rest) }
        if last.hasPrefix("-") {
            return grammar.spellings.keys.filter { $0.hasPrefix("--") }.sorted().map { Candidate(word: $0) }
        }
        return arguments(of: command, grammar, rest)
    }

    // MARK: Commands

    /// The command that the words name, the words after it, and the commands that may follow.
    private func command(of words: [String]) -> ([String], [String], [any ParsableCommand.Type]) {
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("-") {
            rest.removeFirst()
            if word == "--root" { rest = rest.dropFirst() }
        }
        if case (.command(let meaning), let count)? = CommandSpellings.meaning(of: rest) {
            // Of one word it may be a command itself.
            let isCommand = count == 1 && commands.contains { $0.configuration.commandName == rest.first }
            if !isCommand { rest = meaning[...] + rest.dropFirst(count) }
        }
        var known = commands
        var command: [String] = []
        while let word = rest.first, !word.hasPrefix("-") {
            if command.isEmpty, word == "help" { return (["help"], Array(rest.dropFirst()), []) }
            let found = known.first {
                $0.configuration.commandName == word || $0.configuration.aliases.contains(word)
            }
            guard let found else { break }
            command.append(found.configuration.commandName ?? word)
            known = found.configuration.subcommands
            rest.removeFirst()
        }
        return (command, Array(rest), known)
    }

    private func members(_ known: [any ParsableCommand.Type], of command: [String]) -> [Candidate] {
        let group = command.first ?? ""
        let spellings = group.isEmpty ? [] : CommandSpellings.members(of: group).map { Candidate(word: $0) }
        let own = known.map {
            Candidate(word: $0.configuration.commandName ?? "", description: $0.configuration.abstract)
        }
        return own + spellings.filter { spelling in !own.contains { $0.word == spelling.word } }
    }

    // MARK: Options

    /// The option that takes the next word as its value.
    private static func valued(_ word: String, _ grammar: CommandGrammar) -> String? {
        guard word.hasPrefix("-"), !word.contains("="), word.count > 1 else { return nil }
        let option: CommandGrammar.Option?
        if word.hasPrefix("--") {
            option = grammar[word.dropFirst(2)]
        } else {
            // Of joined letters the last one may take a value, if none before does.
            let letters = word.dropFirst()
            guard !letters.dropLast().contains(where: { grammar[$0]?.form == .value }) else { return nil }
            option = letters.last.flatMap { grammar[$0] }
        }
        return option?.form == .value ? option?.name : nil
    }

    private func values(of option: String, _ rest: [String]) -> [Candidate] {
        let words: [String] =
            switch option {
            case "target", "no-cache-filter": sources.stages(dockerfile(rest))
            case "build-arg": sources.arguments(dockerfile(rest)).map { "\($0)=" }
            case "tag", "from": sources.images()
            case "progress": ["auto", "plain", "tty", "quiet", "rawjson"]
            case "isolation": ["auto", "namespaces", "rootless", "chroot"]
            case "network": ["default", "host", "none", "private"]
            case "pull": ["always", "missing", "never", "newer"]
            case "call": ["check", "outline", "targets", "subrequests.describe"]
            case "on-error": ["stop", "shell"]
            case "explain-format": ["text", "json"]
            case "platform": ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/riscv64", "local"]
            case "format": ["json", "table"]
            case "output":
                ["type=docker,dest=", "type=oci,dest=", "type=local,dest=", "type=tar,dest=", "type=registry"]
            case "cache-from": ["type=registry,ref=", "type=local,src=", "type=s3,bucket="]
            case "cache-to": ["type=registry,ref=", "type=local,dest=", "type=inline", "type=s3,bucket="]
            case "gc": ["off", "on", "max-used=", "reserved=", "min-free=", "unused="]
            case "cap-add", "cap-drop": ["ALL"]
            case "ssh": ["default"]
            default: []
            }
        return words.map { Candidate(word: $0) }
    }

    /// The Dockerfile of a command line: that of `-f`, or the one in the directory that is named.
    private func dockerfile(_ rest: [String]) -> String {
        guard let grammar = CommandGrammar.of(["build"]) else { return "" }
        var file: String?
        var directory = "."
        var words = rest[...]
        while let word = words.popFirst() {
            if word.hasPrefix("--file=") {
                file = String(word.dropFirst("--file=".count))
            } else if let option = Self.valued(word, grammar) {
                let value = words.popFirst()
                if option == "file" { file = value ?? file }
            } else if word.hasPrefix("-f"), word.count > 2 {
                file = String(word.dropFirst(2).drop { $0 == "=" })
            } else if !word.hasPrefix("-") {
                directory = word
            }
        }
        return file ?? directory
    }

    // MARK: Arguments

    private static let ofImages: Set = [
        "history", "inspect", "analyze", "tag", "rmi", "ls", "cat", "find", "extract", "push", "save", "run", "images",
        "pull", "create",
    ]

    private static let ofContainers: Set = [
        "exec", "logs", "stop", "kill", "start", "restart", "rm", "wait", "commit", "rename", "port",
    ]

    private func arguments(of command: [String], _ grammar: CommandGrammar, _ rest: [String]) -> [Candidate] {
        if command.first == "builds" || command == ["explain"] { return sources.builds().map { Candidate(word: $0) } }
        if ["volume inspect", "volume rm"].contains(command.joined(separator: " ")) {
            return sources.volumes().map { Candidate(word: $0) }
        }
        guard let name = command.first else { return [] }
        let hasArgument = zip([""] + rest, rest).contains { previous, word in
            !word.hasPrefix("-") && Self.valued(previous, grammar) == nil
        }
        if Self.ofContainers.contains(name) {
            if hasArgument, ["exec", "logs", "commit", "rename", "port"].contains(name) { return [] }
            let areRunning = ["exec", "stop", "kill", "port"].contains(name)
            return sources.containers(areRunning).map { Candidate(word: $0) }
        }
        guard Self.ofImages.contains(name) else { return [] }
        // What follows the image of `run` and of these others is no image.
        if hasArgument, ["run", "create", "cat", "ls", "find", "extract"].contains(name) { return [] }
        return sources.images().map { Candidate(word: $0) }
    }

    private func executor(_ rest: [String], _ last: String) -> [Candidate] {
        if rest.last == "--target" { return sources.stages(".").map { Candidate(word: $0) } }
        if rest.last == "--build-arg" { return sources.arguments(".").map { Candidate(word: "\($0)=") } }
        guard last.hasPrefix("-") else { return [] }
        return ExecutorFlags.all.map { Candidate(word: "--\($0.name)", description: $0.verdict.sentence) }
    }
}
