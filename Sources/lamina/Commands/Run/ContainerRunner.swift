import Containers
import Diagnostics
import Execution
import Glibc
import Images
import Requests

/// Runs commands whose exit status is that of the program.
struct ContainerRunner {
    let global: GlobalOptions

    /// Docker's exit status for a command that was not started.
    static let ownFailure = ExitStatus(code: 125)

    /// Runs `body` with a way to send the command the signals that this process gets, and throws the status of the
    /// program; failures are printed.
    func run(_ body: @escaping @Sendable (CommandLink) async throws -> CInt) async throws {
        let link = CommandLink()
        let signals = SignalForwarder(link)
        let task = Task { try await body(link) }
        signals.onCancel { task.cancel() }
        defer { withExtendedLifetime(signals) {} }
        do {
            let status = try await task.value
            if status != 0 { throw ExitStatus(code: status) }
        } catch {
            throw status(of: error, signals)
        }
    }

    /// Starts a container with the standard streams of this process, to its end.
    func attach(to container: Container, _ images: ImageTransfer, _ link: CommandLink, isNew: Bool) async throws -> CInt
    {
        let request = container.record.request
        let attachment = ContainerSupervisor.Attachment(showsOutput: true, readsInput: request.isInteractive)
        return try await ContainerSupervisor(container, images: images).run(link, attachment) {
            tell($0)
        }
    }

    private func status(of error: any Error, _ signals: SignalForwarder) -> ExitStatus {
        if let status = error as? ExitStatus { return status }
        if let signal = signals.canceled { return .interrupted(by: signal) }
        if let failure = error as? ContainerStartFailure {
            ErrorRenderer(isDebug: global.debug).print(failure.error)
            return ExitStatus(code: failure.status)
        }
        ErrorRenderer(isDebug: global.debug).print(error)
        switch CommandFailure(error) {
        case .notFound: return ExitStatus(code: 127)
        case .notExecutable: return ExitStatus(code: 126)
        case nil: return Self.ownFailure
        }
    }
}
