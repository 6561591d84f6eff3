import ArgumentParser
import Console
import Diagnostics
import Engine
import Execution
import Glibc
import Linux
import Requests

struct RunCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a command in an image, in the sandbox that RUN has.",
        discussion: """
            The command works on a copy of the image's files that is thrown away when it ends. Exit status: that of the \
            command, 128 and the number of the signal that ended it, 127 when it is not in the image, 126 when it \
            cannot be executed, 125 when lamina itself fails.

            EXAMPLES:
              lamina run app
              lamina run -it -v "$PWD:/src" -w /src app sh
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions
    @OptionGroup var options: RunOptions
    @OptionGroup var network: NetworkOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var isolation: IsolationOptions

    @Argument(help: ArgumentHelp("The image: a name or an ID; pulled when it is not in the store.", valueName: "image"))
    var image: String

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments, in place of the image's own.", valueName: "command"))
    var command: [String] = []

    /// Docker's exit status for a command that was not started.
    private static let ownFailure = ExitStatus(code: 125)

    func validate() throws {
        guard !image.hasPrefix("-") else { throw ValidationError("Unknown option '\(image)'") }
    }

    func needsUserNamespace() -> Bool { (try? isolation.mode().needsUserNamespace) ?? false }

    private func request() throws -> RunRequest {
        var request = try options.request(image: image, command: command)
        request.isolation = try isolation.mode()
        request.network = try network.settings()
        request.sandbox = try sandbox.request()
        request.volumes = try volumes.settings()
        try request.volumes.requireNoHeldMounts()
        return request
    }

    /// The request of the command line; if it asks for what does not exist yet, the error is printed and the program
    /// ends with 125.
    private func supportedRequest() throws -> RunRequest {
        do { return try Self.checkingUsage(request) } catch let error as RequestsError {
            ErrorRenderer(isDebug: global.debug).print(error)
            throw Self.ownFailure
        }
    }

    func run() async throws {
        let request = try supportedRequest()
        guard !(request.hasTerminal && request.isInteractive) || isatty(STDIN_FILENO) == 1 else {
            OutputTerminal.standardError.write("lamina: the input device is not a TTY\n")
            throw Self.ownFailure
        }
        let link = CommandLink()
        let signals = SignalForwarder(link)
        let task = Task { [global, registries] in
            let images = try global.images(registries)
            return try await images.closingRegistry {
                try await ImageRun(request, images: images).run(link) { line in
                    OutputTerminal.standardError.write(line + "\n")
                }
            }
        }
        signals.onCancel { task.cancel() }
        defer { withExtendedLifetime(signals) {} }
        do {
            let status = try await task.value
            if status != 0 { throw ExitStatus(code: status) }
        } catch {
            throw status(of: error, signals)
        }
    }

    private func status(of error: any Error, _ signals: SignalForwarder) -> ExitStatus {
        if let status = error as? ExitStatus { return status }
        if let signal = signals.canceled { return .interrupted(by: signal) }
        ErrorRenderer(isDebug: global.debug).print(error)
        switch CommandFailure(error) {
        case .notFound: return ExitStatus(code: 127)
        case .notExecutable: return ExitStatus(code: 126)
        case nil: return Self.ownFailure
        }
    }
}
