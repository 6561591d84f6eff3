import ArgumentParser
import Containers
import Diagnostics
import Glibc
import Linux
import Store

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Ask the commands of containers to end, and kill those that do not.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: [.customShort("t"), .customLong("time"), .customLong("timeout")],
        help: ArgumentHelp(
            "Seconds before a command that is to end is killed (default: the container's).", valueName: "seconds"))
    var seconds: Int?

    @Option(name: .shortAndLong, help: ArgumentHelp("The signal (default: the container's).", valueName: "signal"))
    var signal: String?

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "container"))
    var containers: [String]

    func run() async throws {
        let number = try Self.checkingUsage { try signal.map { try SignalNumber.parse($0) } }
        try await global.forEachContainer(containers) { container in
            try await ContainerClient(container).stop(signal: number, seconds: seconds)
        }
    }
}

struct KillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Send the commands of containers a signal.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The signal.", valueName: "signal"))
    var signal = "KILL"

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "container"))
    var containers: [String]

    func run() async throws {
        let number = try Self.checkingUsage { try SignalNumber.parse(signal) }
        try await global.forEachContainer(containers) { container in
            let client = ContainerClient(container)
            try await offload { try client.send(number) }
            // Scripts go on as if it were gone.
            if number == SIGKILL { _ = try await offload { try client.wait() } }
        }
    }
}

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait for the end of containers, and print their exit codes.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "container"))
    var containers: [String]

    func run() async throws {
        try await global.run {
            // All are found before any of them ends and removes itself.
            let store = try ContainerStore(global.store())
            for container in try containers.map({ try store.find($0) }) {
                say("\(try await offload { try ContainerClient(container).wait() })")
            }
        }
    }
}

struct RenameCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rename", abstract: "Give a container another name.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "container"))
    var container: String

    @Argument(help: ArgumentHelp("The new name.", valueName: "name"))
    var name: String

    func run() async throws {
        try await global.run {
            let store = try ContainerStore(global.store())
            try store.rename(try store.find(container), to: name)
        }
    }
}
