import ArgumentParser
import Containers
import Diagnostics
import Glibc
import Linux
import Requests

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run another command in a container that runs.",
        discussion: """
            Exit status: that of the command, 127 when it is not in the container, 126 when it cannot be executed, 1 when \
            there is no such container or it does not run.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Let the command read the standard input.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "Give the command a terminal.")
    var tty = false

    @Flag(name: .shortAndLong, help: "Do not wait for the command, and show nothing of it.")
    var detach = false

    @Flag(help: "Let the command do everything that lamina itself may do.")
    var privileged = false

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable; K alone takes the value from the environment.", valueName: "K[=V]"))
    var env: [String] = []

    @Option(
        name: .customLong("env-file"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set the variables of a file, one K[=V] a line.", valueName: "file"))
    var environmentFiles: [String] = []

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("Whom to run as: a name or a number each.", valueName: "user[:group]"))
    var user: String?

    @Option(
        name: [.short, .customLong("workdir")], parsing: .unconditional,
        help: ArgumentHelp("The working directory.", valueName: "dir"))
    var workingDirectory: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "container"))
    var container: String

    @Argument(
        parsing: .captureForPassthrough, help: ArgumentHelp("The command and its arguments.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        guard !container.hasPrefix("-") else { throw ValidationError("Unknown option '\(container)'") }
        guard !command.isEmpty else { throw ValidationError("'lamina exec' needs a container and a command") }
    }

    private func request() throws -> ExecRequest {
        var request = ExecRequest(arguments: command)
        for file in environmentFiles {
            request.environment += try RunOptions.variables(in: file).map { "\($0.name)=\($0.value)" }
        }
        request.environment += try env.compactMap { try RunOptions.variable($0) }.map { "\($0.name)=\($0.value)" }
        request.user = user
        request.workingDirectory = workingDirectory
        request.isInteractive = interactive && !detach
        request.hasTerminal = tty && !detach
        request.isDetached = detach
        request.isPrivileged = privileged
        return request
    }

    func run() async throws {
        let request = try Self.checkingUsage(request)
        guard !(request.hasTerminal && request.isInteractive) || isatty(STDIN_FILENO) == 1 else {
            OutputLines.standardError("lamina: the input device is not a TTY")
            throw ExitStatus.failure
        }
        try await global.run { [global, container] in
            let client = ContainerClient(try ContainerStore(global.store()).find(container))
            let outcome = try await offload { try client.exec(request) }
            switch outcome {
            case .began: return
            case .ended(0): return
            case .ended(let code): throw ExitStatus(code: code)
            case .failed(let message, let hint, let code):
                ErrorRenderer(isDebug: global.debug).print(ContainersError(.badCommand, message, hint: hint))
                throw ExitStatus(code: code)
            }
        }
    }
}
