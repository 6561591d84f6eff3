import ArgumentParser
import Linux
import SystemPackage

/// The options for a command in a sandbox that `run`, `create` and `exec` share, by Docker's names.
struct ProcessOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Let the command read the standard input.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "Give the command a terminal.")
    var tty = false

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable; K alone takes the value from the environment.", valueName: "K[=V]"))
    var env: [String] = []

    @Option(
        name: .customLong("env-file"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set the variables of a file, one K[=V] a line.", valueName: "file"))
    var environmentFiles: [String] = []

    @Option(
        name: [.short, .customLong("workdir")], parsing: .unconditional,
        help: ArgumentHelp("The working directory.", valueName: "dir"))
    var workingDirectory: String?

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The user to run as: a name or a number each.", valueName: "user[:group]"))
    var user: String?

    /// The variables of the files, then the others.
    ///
    /// - Throws: `ValidationError`.
    func variables() throws -> [(name: String, value: String)] {
        try environmentFiles.flatMap { try Self.variables(in: $0) } + env.compactMap { try Self.variable($0) }
    }

    /// `nil` for a variable without a value here.
    private static func variable(_ text: String) throws -> (name: String, value: String)? {
        let (name, value) = KeyValue.pair(text)
        guard !name.isEmpty else { throw ValidationError("invalid environment variable: '\(text)'") }
        return (value ?? GlobalOptions.environment[name]).map { (name, $0) }
    }

    /// The variables of a file: `#` begins a comment, blanks before a name do not count.
    private static func variables(in file: String) throws -> [(name: String, value: String)] {
        let text: String
        do { text = try readText(FilePath(file)) } catch {
            throw ValidationError("cannot read --env-file \(file): \(error)")
        }
        return try text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = line.drop(while: \.isWhitespace)
            if line.isEmpty || line.first == "#" { return nil }
            let name = line.prefix { $0 != "=" }
            guard !name.contains(where: \.isWhitespace) else {
                throw ValidationError("invalid line in --env-file \(file): '\(name)' contains blanks")
            }
            return try variable(String(line))
        }
    }
}
