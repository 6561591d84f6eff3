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

    @OptionGroup var process: ProcessOptions

    @Flag(name: .shortAndLong, help: "Do not wait for the command, and show nothing of it.")
    var detach = false

    @Flag(help: "Let the command do everything that lamina itself may do.")
    var privileged = false

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
        request.environment = try process.variables().map { "\($0.name)=\($0.value)" }
        request.user = process.user
        request.workingDirectory = process.workingDirectory
        request.isInteractive = process.interactive && !detach
        request.hasTerminal = process.tty && !detach
        request.isDetached = detach
        request.isPrivileged = privileged
        return request
    }

    func run() async throws {
        let request = try Self.checkingUsage(request)
        guard !(request.hasTerminal && request.isInteractive) || isatty(STDIN_FILENO) == 1 else {
            tell("lamina: the input device is not a TTY")
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
