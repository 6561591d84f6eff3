import ArgumentParser
import Configuration
import Diagnostics
import Viewer

/// The words that the configuration files add to a command line: defaults of options that it does not have.
struct ConfiguredDefaults {
    let configuration: Configuration
    let environment: [String: String]
    /// The keys of views.
    private(set) var keyBindings = KeyBindings.standard

    /// Reads the files of the user and of the machine.
    ///
    /// - Throws: ``CommandLineError`` for a file that cannot be understood.
    init(environment: [String: String]) throws(CommandLineError) {
        do {
            self.init(
                try Configuration(files: Configuration.files(environment: environment), schema: Self.schema),
                environment: environment)
            keyBindings = try KeyBindings(configuration.settings(for: KeyBindings.table))
        } catch let error as ConfigurationError {
            throw CommandLineError(message: error.message)
        } catch {
            throw CommandLineError(message: "the configuration cannot be read: \(error)")
        }
    }

    init(_ configuration: Configuration, environment: [String: String]) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Whether defaults are for a command line: not if it asks for help or shows the settings, which must not take them for
    /// options that were given.
    static func concern(_ command: [String], _ mentioned: Set<String>) -> Bool {
        command.first != "config" && mentioned.isDisjoint(with: ["help", "version"])
    }

    /// The words for a command; `mentioned` are the options of its command line by their long names.
    func words(for command: [String], _ grammar: CommandGrammar, mentioned: Set<String>) -> [String] {
        guard Self.concern(command, mentioned) else { return [] }
        var words: [String] = []
        for setting in configuration.settings(for: command.joined(separator: " ")) {
            guard let option = grammar[setting.option], !Self.excludes(mentioned, option),
                Self.variable(before: setting.option, environment) == nil
            else { continue }
            words += Self.words(setting.value, option)
        }
        return words
    }

    private static func words(_ value: Setting.Value, _ option: CommandGrammar.Option) -> [String] {
        switch (value, option.form) {
        case (.flag(true), .optionalValue(let absent)): ["--\(option.name)=\(absent)"]
        case (.flag(true), _): ["--\(option.name)"]
        case (.flag(false), .flag(let negation?)): ["--\(negation)"]
        case (.flag(false), _): []
        case (.text(let texts), .flagOrValue(let other)): texts.flatMap { word(other, $0) }
        case (.text(let texts), _): texts.flatMap { word(option.name, $0) }
        }
    }

    private static func word(_ name: String, _ value: String) -> [String] {
        value.isEmpty ? ["--\(name)", ""] : ["--\(name)=\(value)"]
    }

    // MARK: Precedence

    /// The variable that is set and goes before the setting of an option.
    static func variable(before option: String, _ environment: [String: String]) -> String? {
        variables[option]?.first { environment[$0]?.isEmpty == false }
    }

    private static let variables = [
        "root": ["LAMINA_ROOT"], "isolation": ["LAMINA_ISOLATION", "BUILDAH_ISOLATION"], "gc": ["LAMINA_GC"],
        "progress": ["BUILDKIT_PROGRESS"], "platform": ["DOCKER_DEFAULT_PLATFORM"],
        "authfile": ["REGISTRY_AUTH_FILE"],
    ]

    /// Options that one command line cannot have together: one that is given leaves out the defaults of the others.
    private static let alternatives: [Set<String>] = [
        ["progress", "quiet"], ["no-cache", "no-cache-filter"], ["platform", "os", "arch", "variant"],
        ["check", "call"],
        ["explain", "explain-format"],
    ]

    private static func excludes(_ mentioned: Set<String>, _ option: CommandGrammar.Option) -> Bool {
        var names: Set = [option.name]
        if case .flag(let negation?) = option.form { names.insert(negation) }
        for group in alternatives where group.contains(option.name) { names.formUnion(group) }
        return !mentioned.isDisjoint(with: names)
    }
}

extension ConfiguredDefaults {
    /// The settings for all commands.
    static let general: [SettingsSchema.General] = [
        .init("root", option: "root", variables: variables["root"] ?? [], isPath: true),
        .init("isolation", option: "isolation", variables: variables["isolation"] ?? [], standard: "auto"),
        .init("gc", option: "gc", variables: variables["gc"] ?? [], standard: "on"),
        .init("registries.insecure", option: "insecure-registry"),
        .init("registries.mirrors", option: "registry-mirror"),
        .init("registries.cert-dir", option: "cert-dir", isPath: true),
        .init("registries.authfile", option: "authfile", variables: variables["authfile"] ?? [], isPath: true),
        .init("registries.retry", option: "retry", standard: "3"),
        .init("registries.retry-delay", option: "retry-delay"),
    ]

    static let schema = SettingsSchema(
        general: general,
        tables: [KeyBindings.table: ViewAction.allCases.map(\.rawValue)],
        commands: {
            Lamina.configuration.subcommands.compactMap { $0.configuration.commandName }.filter {
                $0 != "config" && CommandGrammar.of([$0]) != nil
            }
        },
        form: { command, name in
            guard let option = CommandGrammar.of([command])?[name], option.name == name,
                !["help", "version"].contains(name)
            else { return nil }
            switch option.form {
            case .flag: return .flag
            case .value: return .value
            case .optionalValue, .flagOrValue: return .flagOrValue
            case .alwaysOn, .other: return nil
            }
        },
        options: { command in
            (CommandGrammar.of([command])?.spellings.keys.filter { $0.hasPrefix("--") } ?? [])
                .map { String($0.dropFirst(2)) }.sorted()
        })
}
