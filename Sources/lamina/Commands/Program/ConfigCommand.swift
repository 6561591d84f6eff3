import ArgumentParser
import Configuration
import Console
import Diagnostics
import OCI
import Store
import SystemPackage

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings of the configuration files.",
        discussion: """
            An option of the command line goes before a variable, a variable before ~/.config/lamina/config.toml, and that \
            before /etc/lamina/config.toml.
            """,
        subcommands: [ConfigShowCommand.self], defaultSubcommand: ConfigShowCommand.self)
}

struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "List each setting with its value and where that comes from.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    func run() async throws {
        try await global.run {
            let environment = GlobalOptions.environment
            let defaults: ConfiguredDefaults
            do { defaults = try ConfiguredDefaults(environment: environment) } catch let error as CommandLineError {
                throw CommandError(.badConfiguration, error.message)
            }
            let values = try SettingValue.all(
                defaults, root: global.root,
                standardRoot: StoreRoot.defaultRoot(
                    environment: environment.filter { $0.key != "LAMINA_ROOT" },
                    isRoot: UserNamespaceEntry.isRootOutside
                ).string)
            if document.isDocument {
                let files = Configuration.files(environment: environment).map { JSON.string($0) }
                return try document.show(("files", .array(files)), ("settings", .array(values.map(\.json))))
            }
            var table = Table(headers: ["SETTING", "VALUE", "FROM"])
            for value in values { table.append([value.key, value.text, value.origin.text]) }
            for line in table.lines() { say(line) }
        }
    }
}

/// The value of a setting, and where it comes from.
struct SettingValue: Equatable {
    enum Origin: Equatable {
        case option(String)
        case variable(String)
        case file(String, line: Int)
        case standard
    }

    let key: String
    let values: [String]
    let origin: Origin

    var text: String { values.joined(separator: ", ") }

    /// The settings for all commands, then the defaults of the options of each that the files have.
    static func all(_ defaults: ConfiguredDefaults, root: String?, standardRoot: String) -> [SettingValue] {
        let settings = defaults.configuration.settings
        var values = ConfiguredDefaults.general.map { general in
            if general.key == "root", let root {
                return SettingValue(key: "root", values: [root], origin: .option("--root"))
            }
            let standard = general.key == "root" ? standardRoot : general.standard
            let setting = settings.first { $0.command == nil && $0.option == general.option }
            return Self.value(general.key, general.option, setting, standard, defaults.environment)
        }
        var seen: Set<String> = []
        for setting in settings {
            guard let command = setting.command, seen.insert("\(command) \(setting.option)").inserted else { continue }
            values.append(Self.value(setting.key, setting.option, setting, "", defaults.environment))
        }
        return values
    }

    private static func value(
        _ key: String, _ option: String, _ setting: Setting?, _ standard: String, _ environment: [String: String]
    ) -> SettingValue {
        if let variable = ConfiguredDefaults.variable(before: option, environment) {
            return SettingValue(key: key, values: [environment[variable] ?? ""], origin: .variable(variable))
        }
        guard let setting else {
            return SettingValue(key: key, values: standard.isEmpty ? [] : [standard], origin: .standard)
        }
        let values =
            switch setting.value {
            case .text(let texts): texts
            case .flag(let isOn): ["\(isOn)"]
            }
        return SettingValue(key: key, values: values, origin: .file(setting.file, line: setting.line))
    }

    var json: JSON {
        var members = JSONObject([
            ("key", .string(key)), ("values", .array(values.map { .string($0) })), ("from", .string(origin.name)),
        ])
        switch origin {
        case .option(let name), .variable(let name): members["name"] = .string(name)
        case .file(let path, let line):
            members["name"] = .string(path)
            members["line"] = .integer(line)
        case .standard: break
        }
        return .object(members)
    }
}

extension SettingValue.Origin {
    fileprivate var name: String {
        switch self {
        case .option: "option"
        case .variable: "environment"
        case .file: "file"
        case .standard: "default"
        }
    }

    var text: String {
        switch self {
        case .option(let name): "option \(name)"
        case .variable(let name): "environment \(name)"
        case .file(let path, let line): "\(path):\(line)"
        case .standard: "default"
        }
    }
}
