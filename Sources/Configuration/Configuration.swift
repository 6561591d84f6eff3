/// The settings of the configuration files.
package struct Configuration: Sendable {
    /// The settings of the user's file first, then of the machine's.
    package let settings: [Setting]

    package init(settings: [Setting] = []) { self.settings = settings }

    /// Reads the files in order; one that does not exist has no settings.
    ///
    /// - Throws: ``ConfigurationError``.
    package init(files: [String], schema: SettingsSchema) throws {
        settings = try files.flatMap { try ConfigurationFile.settings(in: $0, schema) }
    }

    /// The user's file, `$XDG_CONFIG_HOME/lamina/config.toml` or the same in `~/.config`, then `/etc/lamina/config.toml`.
    package static func files(environment: [String: String]) -> [String] {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let own = variable("XDG_CONFIG_HOME") ?? variable("HOME").map { "\($0)/.config" }
        return (own.map { ["\($0)/lamina/config.toml"] } ?? []) + ["/etc/lamina/config.toml"]
    }

    /// The settings that count for a command, one for each option, in the order of the files.
    ///
    /// The user's file goes before the machine's; in one file a command's own table goes before the settings for all.
    package func settings(for command: String) -> [Setting] {
        var chosen: [Setting] = []
        for setting in settings where setting.command == nil || setting.command == command {
            guard let known = chosen.firstIndex(where: { $0.option == setting.option }) else {
                chosen.append(setting)
                continue
            }
            let isOwn = chosen[known].command == nil && setting.command != nil
            if isOwn, chosen[known].file == setting.file { chosen[known] = setting }
        }
        return chosen
    }
}
