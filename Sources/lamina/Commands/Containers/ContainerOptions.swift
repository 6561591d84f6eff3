import ArgumentParser
import Containers
import Requests

/// The options of `run` and `create` that are about a container which is kept.
struct ContainerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The name of the container, which is kept (default: a chosen one).", valueName: "name"))
    var name: String?

    @Flag(
        name: .customLong("rm"), inversion: .prefixedNo,
        help: "Remove the container at its end; without a name and -d it always is, unless --rm=false.")
    var removes: Bool?

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A label of the container.", valueName: "K[=V]"))
    var label: [String] = []

    @Option(
        name: [.customShort("p"), .customLong("publish")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Let a port of this machine lead to one of the command, by pasta.", valueName: "[[ip:]host:]port"))
    var ports: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("An empty directory in memory.", valueName: "path[:options]"))
    var tmpfs: [String] = []

    @Flag(help: "Let the command do everything that lamina itself may do.")
    var privileged = false

    @Flag(name: .customLong("init"), help: "Accepted, as it is always so: process 1 is a small init.")
    var hasInit = false

    @Option(help: ArgumentHelp("Write the ID of the container to a file that does not exist.", valueName: "file"))
    var cidfile: String?

    @Option(
        name: .customLong("stop-signal"),
        help: ArgumentHelp("The signal that asks the command to end (default: the image's).", valueName: "signal"))
    var stopSignal: String?

    @Option(
        name: .customLong("stop-timeout"),
        help: ArgumentHelp("Seconds before a command that is to end is killed (default: 10).", valueName: "seconds"))
    var stopTimeout: Int?

    @Option(help: .hidden) var restart: String?
    @Flag(name: .customLong("no-healthcheck"), help: .hidden) var hasNoHealthcheck = false

    /// Whether the container is kept, even if only while it runs.
    var isKept: Bool { name != nil || removes == false || cidfile != nil }

    func validate() throws {
        if let restart, restart != "no" {
            throw ValidationError(
                "--restart \(restart) is not there: a container ends with its supervisor, and nothing restarts it")
        }
        if let stopTimeout, stopTimeout < 0 { throw ValidationError("--stop-timeout takes a number from 0 on") }
        for label in label where label.hasPrefix("=") { throw ValidationError("invalid label '\(label)'") }
    }

    func apply(to request: inout RunRequest) throws {
        request.ports = try ports.flatMap { try PortMapping.parse($0) }
        request.isPrivileged = privileged
    }

    func creation(_ request: RunRequest) -> ContainerCreation {
        var creation = ContainerCreation(request)
        creation.name = name
        creation.removesItself = removes ?? false
        creation.stopSignal = stopSignal
        creation.stopTimeout = stopTimeout
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            creation.labels[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return creation
    }
}
