import ArgumentParser
import Engine
import Glibc
import Linux
import Logins
import OCI
import Requests
import SystemPackage

/// The options of `lamina run` and `lamina create` for the command, by Docker's names.
struct RunOptions: ParsableArguments {
    @OptionGroup var process: ProcessOptions

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

    @Flag(name: .shortAndLong, help: "Do not show how the image is pulled.")
    var quiet = false

    @Flag(name: .customLong("read-only"), help: "Let nothing be written to the image's files.")
    var isReadOnly = false

    func request(image: String, command: [String]) throws -> RunRequest {
        var request = RunRequest(image: image)
        request.arguments = command
        request.isInteractive = process.interactive
        request.hasTerminal = process.tty
        request.entrypoint = entrypoint.map { $0.isEmpty ? [] : [$0] }
        let given = try process.variables()
        request.environment =
            ClientProxies.variables(environment: GlobalOptions.environment, given: given.map(\.name)) + given
        request.user = process.user
        request.workingDirectory = process.workingDirectory
        request.hostname = hostname
        request.isRootReadOnly = isReadOnly
        request.isPulledQuietly = quiet
        request.pull = try PullPolicy(option: pull)
        request.platform = try platform.map { try Platform(parsing: $0) }
        return request
    }
}
