import Containers
import Diagnostics
import Execution
import Glibc
import Linux
import OCI
import Store
import SystemPackage

/// Starts a process of its own that supervises a container.
enum SupervisorProcess {
    /// Returns when the command of the container runs.
    ///
    /// Throws ``ContainerStartFailure`` when it could not be started.
    static func start(_ container: Container, in store: StoreRoot) throws {
        var environment = GlobalOptions.environment.map { "\($0)=\($1)" }
        if let variable = DetachedProgram.namespaceVariable { environment.append(variable) }
        let output = try DetachedProgram.start(
            "/proc/self/exe", [SuperviseCommand.name, "--root", store.path.string, container.id],
            environment: environment, errors: container.directory.appending("supervisor.log"))
        let bytes = try output.readAll(limit: 1 << 20)
        guard let line = bytes.split(separator: UInt8(ascii: "\n")).last, let answer = try? JSON(parsing: Array(line))
        else {
            let words = (try? readText(container.directory.appending("supervisor.log"))) ?? ""
            throw ContainerStartFailure(
                message:
                    "the supervisor of the container ended: \(words.split(separator: "\n").last ?? "no reason given")",
                hint: nil, status: 125)
        }
        guard let message = answer["error"]?.string else { return }
        throw ContainerStartFailure(
            message: message, hint: answer["hint"]?.string, status: Int32(clamping: answer["code"]?.integer ?? 125))
    }
}

/// The reason why the command of a container could not be started, as its supervisor gave it.
struct ContainerStartFailure: Error {
    let message: String
    let hint: String?
    /// The exit status of a shell for it.
    let status: Int32

    init(message: String, hint: String?, status: Int32) {
        self.message = message
        self.hint = hint
        self.status = status
    }

    init(_ error: any Error) {
        let failure = error as? any AnyFailure
        let status: Int32 =
            switch CommandFailure(error) {
            case .notFound: 127
            case .notExecutable: 126
            case nil: 125
            }
        self.init(message: failure?.message ?? "\(error)", hint: failure?.hint, status: status)
    }

    var json: JSON {
        .object(("error", .string(message)), ("hint", hint.map(JSON.string)), ("code", .integer(status)))
    }

    /// The failure as the renderer of errors takes it.
    var error: ContainersError { ContainersError(.badCommand, message, hint: hint) }
}
