import ArgumentParser
import Console
import GoCompat
import OCI
import Requests

/// The facts about the one builder, for buildx's commands that manage builders.
private enum OnlyBuilder {
    static let name = "default"
    static let driver = "lamina"
    static let status = "running"
    static let discussion = "This program is the only builder. Scripts that prepare one go on without it."
}

struct BuildxListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the one builder that there is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Name}}'.", valueName: "format"))
    var format: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "Name", header: "NAME/NODE"), .init(field: "DriverEndpoint", header: "DRIVER/ENDPOINT"),
        .init(field: "Status", header: "STATUS"), .init(field: "Buildkit", header: "VERSION"),
        .init(field: "Platforms", header: "PLATFORMS"),
    ]

    func run() throws {
        let list = try ListFormat(format, columns: Self.columns)
        let row = JSON.object(
            ("Name", .string(OnlyBuilder.name + (list.isTable ? "*" : ""))),
            ("DriverEndpoint", .string(OnlyBuilder.driver)), ("Status", .string(OnlyBuilder.status)),
            ("Buildkit", .string(Version.current)), ("Platforms", .string(Platform.host.description)))
        for line in try list.lines(for: [row]) { say(line) }
    }
}

struct BuildxCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Print the name of a builder, as buildx does; none is made.",
        discussion: OnlyBuilder.discussion)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(help: ArgumentHelp("The name to print (default: default).", valueName: "name"))
    var name: String?

    @Flag(help: "Accepted: the only builder is always the one in use.")
    var use = false

    @Flag(help: "Accepted: there is nothing to start.")
    var bootstrap = false

    func run() { say(name ?? OnlyBuilder.name) }
}

struct BuildxUseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use", abstract: "Do nothing: the only builder is always the one in use.",
        discussion: OnlyBuilder.discussion)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("The name of a builder.", valueName: "name"))
    var name: String

    func run() {}
}

struct BuildxInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show the one builder that there is.", discussion: OnlyBuilder.discussion)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Accepted: there is nothing to start.")
    var bootstrap = false

    @Argument(help: ArgumentHelp("The name of a builder.", valueName: "name"))
    var name: String?

    func run() {
        let name = name ?? OnlyBuilder.name
        var table = Table(headers: ["Name:", name], minimumWidth: 0, gap: 1)
        table.append(["Driver:", OnlyBuilder.driver])
        for line in table.lines() { say(line) }
        say("\nNodes:")
        var node = Table(headers: ["Name:", name], minimumWidth: 0, gap: 1)
        node.append(["Endpoint:", OnlyBuilder.driver])
        node.append(["Status:", OnlyBuilder.status])
        node.append(["Version:", Version.current])
        node.append(["Platforms:", Platform.host.description])
        for line in node.lines() { say(line) }
    }
}

struct BuildxRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Do nothing: there are no builders to remove.",
        discussion: OnlyBuilder.discussion)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Accepted: nothing is asked.")
    var force = false

    @Argument(help: ArgumentHelp("Names of builders.", valueName: "name"))
    var names: [String] = []

    func run() {}
}

struct BuildxStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Do nothing: no builder runs between builds.",
        discussion: OnlyBuilder.discussion)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("The name of a builder.", valueName: "name"))
    var name: String?

    func run() {}
}
