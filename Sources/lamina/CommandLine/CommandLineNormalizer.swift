import ArgumentParser
import DockerfileSyntax

/// Rewrites the words of a command line from the grammar of pflag, which Docker's commands have, to that of the parser.
///
/// Each option becomes one word with its long name (two if its value is empty): `-fX`, `-f X` and `--file X` become
/// `--file=X`, `-it` becomes `--interactive --tty`, and switches lose their value. Words after `--`, and those after the image of `run`, stay.
/// Words that no grammar knows stay, too: the parser says what is wrong with them.
/// Source: https://pkg.go.dev/github.com/spf13/pflag, "Command line flag syntax".
struct CommandLineNormalizer {
    /// Gives the words of defaults for a command, in which the options mentioned are not to be.
    typealias Defaults = (_ command: [String], CommandGrammar, _ mentioned: Set<String>) throws(CommandLineError) ->
        [String]

    private let commands: [any ParsableCommand.Type]
    /// The long names of the options on the command line, whether switched on or off.
    private var mentioned: Set<String> = []
    private var options: [String] = []
    private var arguments: [String] = []

    private init(_ commands: [any ParsableCommand.Type]) { self.commands = commands }

    /// The words of a command line, without the program's name, as the parser takes them.
    ///
    /// - Throws: ``CommandLineError`` for a command that does not exist and for a switch with a wrong value.
    static func normalized(
        _ words: [String], commands: [any ParsableCommand.Type] = Lamina.configuration.subcommands,
        defaults: Defaults? = nil
    ) throws(CommandLineError) -> [String] {
        var normalizer = CommandLineNormalizer(commands)
        return try normalizer.normalize(words[...], defaults)
    }

    private mutating func normalize(
        _ words: ArraySlice<String>, _ defaults: Defaults?
    ) throws(CommandLineError) -> [String] {
        let global = CommandGrammar()
        var rest = words
        // Options of all commands may come before the command.
        while let first = rest.first, first.hasPrefix("-"), first != "-", first != "--" {
            guard try takeOption(&rest, global) else { break }
        }
        let command = try takeCommand(&rest)
        guard !command.isEmpty, let grammar = CommandGrammar.of(command) else { return Array(words) }
        try takeRest(&rest, grammar)
        if command == ["push"], let copy = PushSpelling.copy(options, arguments) { return copy }
        // The words that are given come last, and count.
        return command + (try defaults?(command, grammar, mentioned) ?? []) + options + arguments
    }

    /// Takes the words that name a command and its subcommand, by their full names.
    private func takeCommand(_ rest: inout ArraySlice<String>) throws(CommandLineError) -> [String] {
        var known = commands
        var command: [String] = []
        if let (meaning, count) = CommandSpellings.meaning(of: rest),
            !(count == 1 && known.contains { $0.configuration.commandName == rest.first })
        {
            switch meaning {
            case .command(let words):
                rest = words[...] + rest.dropFirst(count)
            case .refused(let sentence):
                throw CommandLineError(
                    message: "'\(rest.prefix(count).joined(separator: " "))' is not there: \(sentence)")
            }
        }
        while !known.isEmpty, let word = rest.first, !word.hasPrefix("-"), !(command.isEmpty && word == "help") {
            let names = known.map { $0.configuration.commandName ?? "" }
            guard
                let index = known.indices.first(where: {
                    names[$0] == word || known[$0].configuration.aliases.contains(word)
                })
            else {
                let members = command.first.map { CommandSpellings.members(of: $0) } ?? []
                throw .unknownCommand(word, after: command, known: names + members)
            }
            command.append(names[index])
            known = known[index].configuration.subcommands
            rest.removeFirst()
        }
        return command
    }

    private mutating func takeRest(
        _ rest: inout ArraySlice<String>, _ grammar: CommandGrammar
    ) throws(CommandLineError) {
        while let word = rest.first {
            if word == "--" {
                // What follows the image of `run` is captured with its dashes, so the image comes first.
                arguments += grammar.endsAtFirstArgument ? rest.dropFirst() : rest
                return
            }
            if word == "-" || !word.hasPrefix("-") {
                if grammar.endsAtFirstArgument {
                    arguments += rest
                    return
                }
                arguments.append(word)
                rest.removeFirst()
            } else if try !takeOption(&rest, grammar) {
                options.append(word)
                rest.removeFirst()
            }
        }
    }

    /// Takes a word with options, and the next one if that is a value; `false` if the grammar does not know it.
    private mutating func takeOption(
        _ rest: inout ArraySlice<String>, _ grammar: CommandGrammar
    ) throws(CommandLineError) -> Bool {
        guard let word = rest.first else { return false }
        if word.hasPrefix("--") {
            let name = word.dropFirst(2).prefix { $0 != "=" }
            guard let option = grammar[name] else { return false }
            let value = name.endIndex == word.endIndex ? nil : String(word[name.endIndex...].dropFirst())
            rest.removeFirst()
            try append(option, value, spelling: "--\(name)", next: &rest)
            return true
        }
        var letters = word.dropFirst()
        guard isKnown(letters, grammar) else { return false }
        rest.removeFirst()
        while let letter = letters.popFirst(), let option = grammar[letter] {
            if letters.first == "=" || option.takesValue && !letters.isEmpty {
                let value = letters.first == "=" ? letters.dropFirst() : letters
                try append(option, String(value), spelling: "-\(letter)", next: &rest)
                break
            }
            try append(option, nil, spelling: "-\(letter)", next: &rest)
        }
        return true
    }

    /// Whether all letters up to the first value are options.
    private func isKnown(_ letters: Substring, _ grammar: CommandGrammar) -> Bool {
        for (position, letter) in letters.enumerated() {
            if letter == "=", position > 0 { return true }
            guard let option = grammar[letter] else { return false }
            if option.takesValue { return true }
        }
        return true
    }

    private mutating func append(
        _ option: CommandGrammar.Option, _ value: String?, spelling: String, next rest: inout ArraySlice<String>
    ) throws(CommandLineError) {
        let word = "--\(option.name)"
        mentioned.insert(option.name)
        switch (option.form, value) {
        // Without a next word the parser says that the value is missing.
        case (.value, let value): append(word, value ?? rest.popFirst())
        case (.optionalValue(let absent), let value): append(word, value ?? absent)
        case (.other(let flag), let value):
            let value = value ?? (flag.form == .value ? rest.popFirst() : nil)
            guard flag.form != .value || value != nil else { throw .missingValue(spelling) }
            options += try flag.words(for: value)
        case (.flagOrValue(let other), let value?) where Truth.value(of: value) == nil:
            append("--\(other)", value)
        case (_, nil): options.append(word)
        case (let form, let value?):
            guard let isOn = Truth.value(of: value) else { throw .badSwitch(spelling, value) }
            if isOn {
                options.append(word)
            } else if case .alwaysOn(let refusal) = form {
                throw CommandLineError(message: refusal)
            } else if case .flag(let negation?) = form {
                options.append("--\(negation)")
            } else {
                // Off is the default, and the last word counts.
                options.removeAll { $0 == word }
            }
        }
    }

    /// The parser takes `--name=` for an option whose value is the next word.
    private mutating func append(_ word: String, _ value: String?) {
        if let value, !value.isEmpty {
            options.append("\(word)=\(value)")
        } else {
            options += [word] + (value.map { [$0] } ?? [])
        }
    }
}

/// A command line that is wrong before its command is known, or whatever its command.
struct CommandLineError: Error, Equatable {
    let message: String

    /// Words of other tools for what a command here does.
    private static let meanings = [
        "remove": "rmi", "ls-images": "images", "list-images": "images",
        "show": "inspect", "gc": "prune", "clean": "prune", "cleanup": "prune",
        "check": "fsck", "verify": "fsck", "format": "fmt", "download": "pull", "fetch": "pull", "upload": "push",
        "publish": "push", "log": "builds logs",
        "signin": "login", "signout": "logout", "make": "build",
        "layers": "analyze", "why": "explain",
    ]

    static func unknownCommand(_ word: String, after command: [String], known: [String]) -> CommandLineError {
        let name = (command + [word]).joined(separator: " ")
        let lowercased = word.lowercased()
        let meant = known.contains(lowercased) ? lowercased : command.isEmpty ? meanings[lowercased] : nil
        // Of two or three letters, two others make another word.
        var close = word.count > 3 ? Suggestions.closest(to: lowercased, among: known) : nil
        // Of four, two do so unless they have changed places or the beginning is the same.
        if word.count == 4, let found = close, found.count == 4, found.first != lowercased.first,
            found.sorted() != lowercased.sorted()
        {
            close = nil
        }
        let suggestion = (meant ?? close).map { "; did you mean '\($0)'?" } ?? ""
        let help = (["lamina"] + command + ["--help"]).joined(separator: " ")
        return CommandLineError(message: "unknown command '\(name)'\(suggestion)\nSee '\(help)' for the commands.")
    }

    static func badSwitch(_ option: String, _ value: String) -> CommandLineError {
        CommandLineError(message: "invalid value '\(value)' for \(option): use true or false")
    }

    static func missingValue(_ option: String) -> CommandLineError {
        CommandLineError(message: "\(option) needs a value")
    }
}
