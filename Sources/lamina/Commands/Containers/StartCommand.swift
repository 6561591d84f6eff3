import ArgumentParser
import Containers
import Diagnostics
import Execution
import Glibc
import Images
import Linux
import Requests

struct StartCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start containers that do not run.",
        discussion: "A container that runs already stays as it is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Show what the command writes, to its end; its exit status is the program's.")
    var attach = false

    @Flag(name: .shortAndLong, help: "As --attach, and let the command read the standard input.")
    var interactive = false

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "container"))
    var containers: [String]

    func validate() throws {
        guard !(attach || interactive) || containers.count == 1 else {
            throw ValidationError("you cannot start and attach multiple containers at once")
        }
    }

    func run() async throws {
        guard attach || interactive else {
            return try await global.forEachContainer(containers) { container in
                guard !container.isRunning else { return }
                let store = try global.store()
                try await offload {
                    do { try SupervisorProcess.start(container, in: store) } catch let failure as ContainerStartFailure
                    {
                        throw failure.error
                    }
                }
            }
        }
        let runner = ContainerRunner(global: global)
        try await runner.run { [global, containers, interactive] link in
            let images = try global.images()
            let container = try ContainerStore(images.store).find(containers[0])
            let reads = interactive && container.record.request.isInteractive
            return try await ContainerSupervisor(container, images: images).run(
                link, ContainerSupervisor.Attachment(showsOutput: true, readsInput: reads)
            ) { tell($0) }
        }
    }
}

struct RestartCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop containers and start them again.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: [.customShort("t"), .customLong("time"), .customLong("timeout")],
        help: ArgumentHelp("Seconds before a command that is to end is killed.", valueName: "seconds"))
    var seconds: Int?

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "container"))
    var containers: [String]

    func run() async throws {
        try await global.forEachContainer(containers) { container in
            try await ContainerClient(container).stop(seconds: seconds)
            let store = try global.store()
            try await offload {
                do { try SupervisorProcess.start(container, in: store) } catch let failure as ContainerStartFailure {
                    throw failure.error
                }
            }
        }
    }
}
