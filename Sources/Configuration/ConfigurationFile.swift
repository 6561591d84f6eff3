import Diagnostics
import DockerfileSyntax
import Linux
import OCI
import SystemPackage

/// Reads one configuration file: settings by name, and a table for each command with the defaults of its options.
///
/// Settings that do not exist are refused, as a default without effect would be ignored.
struct ConfigurationFile {
    private let path: String
    private let schema: SettingsSchema
    private var lines: [[String]: Int] = [:]
    private var settings: [Setting] = []

    /// In bytes: more is no configuration.
    private static let limit = 1 << 20

    private init(path: String, schema: SettingsSchema) {
        self.path = path
        self.schema = schema
    }

    /// The settings of a file; none if it does not exist.
    ///
    /// - Throws: ``ConfigurationError``, with file and line in the message.
    static func settings(in path: String, _ schema: SettingsSchema) throws -> [Setting] {
        let bytes: [UInt8]
        do { bytes = try OwnedDescriptor.open(FilePath(path)).readAll(limit: limit) } catch let error as LinuxError
            where error.code == .notFound
        {
            return []
        } catch {
            throw ConfigurationError(.badFile, "'\(path)' cannot be read", cause: error)
        }
        return try settings(of: bytes, path: path, schema)
    }

    static func settings(of bytes: [UInt8], path: String, _ schema: SettingsSchema) throws -> [Setting] {
        var file = ConfigurationFile(path: path, schema: schema)
        let document: JSON
        do { (document, file.lines) = try TOML.parseWithLines(bytes) } catch let error as TOML.Malformed {
            throw ConfigurationError(.badFile, "'\(path)', \(error)", cause: error)
        }
        for member in document.object?.members ?? [] { try file.read(member.key, member.value) }
        return file.settings
    }

    private mutating func read(_ name: String, _ value: JSON) throws {
        if value.object != nil, schema.commands().contains(name) {
            for member in value.object?.members ?? [] { try add(member.value, to: member.key, of: name) }
            return
        }
        if let table = value.object, let names = schema.tables[name] {
            for member in table.members {
                let path = [name, member.key]
                guard names.contains(member.key) else { throw unknown(path, among: names) }
                add(path, command: name, member.key, .text(try texts(of: member.value, path)))
            }
            return
        }
        if let general = schema.general.first(where: { $0.key == name }) { return try add(value, general, [name]) }
        guard let table = value.object, schema.general.contains(where: { $0.key.hasPrefix("\(name).") }) else {
            let groups = schema.general.compactMap { $0.key.split(separator: ".").first.map(String.init) }
            throw unknown([name], among: groups + schema.tables.keys.sorted() + schema.commands())
        }
        for member in table.members {
            guard let general = schema.general.first(where: { $0.key == "\(name).\(member.key)" }) else {
                let names = schema.general.filter { $0.key.hasPrefix("\(name).") }.map {
                    $0.key.dropFirst(name.count + 1)
                }
                throw unknown([name, member.key], among: names.map(String.init))
            }
            try add(member.value, general, [name, member.key])
        }
    }

    private mutating func add(_ value: JSON, _ general: SettingsSchema.General, _ path: [String]) throws {
        let texts = try texts(of: value, path)
        if general.isPath, let relative = texts.first(where: { !$0.hasPrefix("/") }) {
            throw bad(path, "'\(relative.printable(limit: 100))' is no absolute path")
        }
        add(path, command: nil, general.option, .text(texts))
    }

    private mutating func add(_ value: JSON, to option: String, of command: String) throws {
        let path = [command, option]
        guard let form = schema.form(command, option) else {
            throw unknown(path, among: schema.options(command))
        }
        switch (form, value.bool) {
        case (.flag, let isOn?), (.flagOrValue, let isOn?): add(path, command: command, option, .flag(isOn))
        case (.flag, nil): throw bad(path, "it takes true or false")
        case (.value, .some): throw bad(path, "it takes text, and not true or false")
        case (.value, nil), (.flagOrValue, nil):
            add(path, command: command, option, .text(try texts(of: value, path)))
        }
    }

    private mutating func add(_ path: [String], command: String?, _ option: String, _ value: Setting.Value) {
        settings.append(
            Setting(
                key: path.joined(separator: "."), command: command, option: option, value: value, file: self.path,
                line: line(of: path)))
    }

    private func texts(of value: JSON, _ path: [String]) throws -> [String] {
        let items = value.array ?? [value]
        return try items.map { item in
            if let text = item.string { return text }
            if let number = item.integer { return "\(number)" }
            throw bad(path, "it takes text, a number, or an array of them")
        }
    }

    // MARK: Errors

    private func line(of path: [String]) -> Int {
        lines[path] ?? path.indices.dropFirst().reversed().lazy.compactMap { lines[Array(path[..<$0])] }.first ?? 1
    }

    private func unknown(_ path: [String], among names: [String]) -> ConfigurationError {
        let name = path[path.count - 1]
        // Of one or two letters, two others make another word.
        let meant =
            name.count < 3 ? "" : Suggestions.closest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        let place = path.dropLast().isEmpty ? "" : " in [\(path.dropLast().joined(separator: "."))]"
        return ConfigurationError(
            .unknownKey,
            "'\(self.path)', line \(line(of: path)): there is no setting '\(name.printable(limit: 100))'\(place)\(meant)"
        )
    }

    private func bad(_ path: [String], _ reason: String) -> ConfigurationError {
        ConfigurationError(
            .badValue,
            "'\(self.path)', line \(line(of: path)): '\(path.joined(separator: "."))' cannot be so: \(reason)")
    }
}
