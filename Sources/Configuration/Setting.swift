/// A setting of a configuration file: the default of an option.
package struct Setting: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        /// The values of an option, of which only an option that may be repeated has several.
        case text([String])
        case flag(Bool)
    }

    /// The key as the file has it, e.g. `registries.mirrors` or `build.progress`.
    package let key: String
    /// The command that it is for; `nil` for all commands that have the option.
    package let command: String?
    /// The long name of the option, without dashes.
    package let option: String
    package let value: Value
    package let file: String
    package let line: Int

    package init(key: String, command: String?, option: String, value: Value, file: String, line: Int) {
        self.key = key
        self.command = command
        self.option = option
        self.value = value
        self.file = file
        self.line = line
    }
}

extension Setting.Value {
    /// The value as a line for people.
    package var description: String {
        switch self {
        case .text(let texts): texts.joined(separator: ", ")
        case .flag(let isOn): "\(isOn)"
        }
    }
}
