import ArgumentParser
import Console
import Containers
import Diagnostics
import Execution
import Glibc
import Images
import Linux
import OCI
import Synchronization
import SystemPackage

/// The process beside a container that nobody waits for. It is started by `run -d` and `start`, and ends with it.
struct SuperviseCommand: AsyncParsableCommand {
    static let name = "supervise"

    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Run the command of a container to its end.", shouldDisplay: false)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument var container: String

    func run() async throws {
        // No terminal of the caller is its own, and no directory is kept in use.
        setsid()
        _ = unsafe chdir("/")
        let report = StartReport()
        let link = CommandLink()
        let signals = SignalForwarder(link)
        defer { withExtendedLifetime(signals) {} }
        do {
            let images = try global.images()
            let found = try ContainerStore(images.store).find(container)
            _ = try await ContainerSupervisor(found, images: images).run(
                link, .none, began: { report.send(.object(("began", .bool(true)))) },
                report: { tell($0) })
        } catch {
            report.send(ContainerStartFailure(error).json)
            tell((error as? any AnyFailure)?.message ?? "\(error)")
            throw ExitStatus.failure
        }
    }
}

/// The one line that whoever has started a supervisor waits for; the standard output is closed with it.
private final class StartReport: Sendable {
    private let isSent = Mutex(false)

    func send(_ json: JSON) {
        let isFirst = isSent.withLock { isSent in
            defer { isSent = true }
            return !isSent
        }
        guard isFirst else { return }
        CommandResult.write(json.encoded() + [UInt8(ascii: "\n")])
        guard let null = try? OwnedDescriptor.open("/dev/null", .writeOnly) else { return }
        dup2(null.number, STDOUT_FILENO)
    }
}
