import ArgumentParser
import Engine
import Glibc
import Linux
import OCI
import Requests
import SystemPackage

/// The options of `lamina run` and `lamina create` for the command, by Docker's names.
struct RunOptions: ParsableArguments {
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
        help: ArgumentHelp("Whom to run as: a name or a number each.", valueName: "user[:group]"))
    var user: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The program to run in place of the image's entry point; \"\" for none.", valueName: "file"))
    var entrypoint: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("The host name inside (default: a new one).", valueName: "name"))
    var hostname: String?

    @Option(
        help: ArgumentHelp(
            "When to ask the registry for the image: always, missing, never or newer.", valueName: "when"))
    var pull: String?

    @Option(help: ArgumentHelp("The platform of the image (default: this machine's).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .customLong("read-only"), help: "Let nothing be written to the image's files.")
    var isReadOnly = false

    func request(image: String, command: [String]) throws -> RunRequest {
        var request = RunRequest(image: image)
        request.arguments = command
        request.isInteractive = interactive
        request.hasTerminal = tty
        request.entrypoint = entrypoint.map { $0.isEmpty ? [] : [$0] }
        for file in environmentFiles { request.environment += try Self.variables(in: file) }
        request.environment += try env.compactMap { try Self.variable($0) }
        request.user = user
        request.workingDirectory = workingDirectory
        request.hostname = hostname
        request.isRootReadOnly = isReadOnly
        request.pull = try PullPolicy(option: pull)
        request.platform = try platform.map { try Platform(parsing: $0) }
        return request
    }

    /// `nil` for a variable without a value here.
    static func variable(_ text: String) throws -> (name: String, value: String)? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !parts[0].isEmpty else { throw ValidationError("invalid environment variable: '\(text)'") }
        if parts.count == 2 { return (parts[0], parts[1]) }
        return GlobalOptions.environment[text].map { (text, $0) }
    }

    /// The variables of a file: `#` begins a comment, blanks before a name do not count.
    static func variables(in file: String) throws -> [(name: String, value: String)] {
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
