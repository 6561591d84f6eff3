/// The settings that files may have.
package struct SettingsSchema: Sendable {
    /// How an option of a command is set.
    package enum Form: Hashable, Sendable {
        /// `true` or `false`.
        case flag
        /// Text or a number, or several in an array.
        case value
        /// Either of them.
        case flagOrValue
    }

    /// A setting for all commands that have its option.
    package struct General: Sendable {
        package let key: String
        package let option: String
        /// The variables that go before it, the first of them first.
        package let variables: [String]
        /// Whether its value is a path, which must be absolute.
        package let isPath: Bool
        /// The value without any file, in words.
        package let standard: String

        package init(
            _ key: String, option: String, variables: [String] = [], isPath: Bool = false, standard: String = ""
        ) {
            self.key = key
            self.option = option
            self.variables = variables
            self.isPath = isPath
            self.standard = standard
        }
    }

    package let general: [General]
    /// Tables that belong to no command, with the names that they may have. Values are text, or several in an array.
    package let tables: [String: [String]]
    /// The names of the commands that have a table for the defaults of their options.
    package let commands: @Sendable () -> [String]
    /// The form of an option of a command; `nil` for one that it does not have.
    package let form: @Sendable (_ command: String, _ option: String) -> Form?
    /// The options of a command.
    package let options: @Sendable (_ command: String) -> [String]

    package init(
        general: [General], tables: [String: [String]] = [:], commands: @escaping @Sendable () -> [String],
        form: @escaping @Sendable (String, String) -> Form?,
        options: @escaping @Sendable (String) -> [String]
    ) {
        self.general = general
        self.tables = tables
        self.commands = commands
        self.form = form
        self.options = options
    }
}
