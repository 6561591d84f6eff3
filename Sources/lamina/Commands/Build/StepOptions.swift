import ArgumentParser
import Engine
import Frontend
import Glibc
import Graph
import Linux
import Requests

/// Settings of all commands of a build.
struct StepOptions: ParsableArguments {
    /// The action when a command fails.
    enum FailureAction: String, ExpressibleByArgument, CaseIterable {
        case stop
        case shell
    }

    @OptionGroup var network: NetworkOptions
    @OptionGroup var volumes: VolumeOptions

    @Option(help: ArgumentHelp("The name of the machine that commands see.", valueName: "name"))
    var hostname: String?

    @Option(help: ArgumentHelp("How long a command may run, such as 30s or 10m.", valueName: "duration"))
    var timeout: String?

    @Option(
        name: .customLong("on-error"),
        help: ArgumentHelp("What to do when a command fails: stop, or open a shell in its files.", valueName: "action"))
    var onError = FailureAction.stop

    @Flag(name: .customLong("stdin"), help: "Let commands read the standard input, one after the other.")
    var passesInput = false

    @Option(
        name: .customLong("ignore-path"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Leave what RUN changes there out of its layer; may be repeated.", valueName: "path"))
    var ignoredPaths: [String] = []

    /// Puts the options into a request.
    ///
    /// - Throws: `RequestsError` for an option that cannot be understood.
    func apply(to request: inout BuildRequest) throws {
        var steps = StepSettings()
        steps.ignoredPaths = try ignoredPaths.map { try Self.pathInImage($0) }
        steps.passesInput = passesInput
        if passesInput, request.readsInput {
            throw ValidationError(
                "--stdin gives the standard input to commands: name the files of the build another way")
        }
        steps.timeLimit = try timeout.map { try TimeLimit(parsing: $0) }
        steps.network = try network.settings()
        steps.volumes = try volumes.settings()
        if onError == .shell {
            guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
                throw ValidationError("--on-error=shell needs a terminal, and there is none")
            }
            steps.opensShellOnFailure = true
        }
        // The user who names the network of all commands has granted it.
        if steps.network.isHost { try request.sandbox.allow("network.host") }
        request.options.network = steps.network.mode
        request.options.hostname = hostname
        request.options.hostNames = steps.network.hosts.map(\.name)
        request.steps = steps
    }

    /// An absolute path without what changes nothing in it, relative to the root.
    private static func pathInImage(_ text: String) throws -> PathBytes {
        let parts = PathBytes(text).components.filter { !$0.isEmpty && $0 != "." }
        guard text.hasPrefix("/"), !parts.isEmpty, !parts.contains("..") else {
            throw ValidationError("'\(text)' of --ignore-path is no absolute path below the root of the image")
        }
        return parts.reduce(PathBytes("")) { $0.appending($1) }
    }
}
