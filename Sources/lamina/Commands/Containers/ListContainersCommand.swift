import ArgumentParser
import Containers
import Diagnostics
import GoCompat
import Graph
import OCI
import Requests
import Store
import SystemPackage

struct ListContainersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List containers.",
        discussion: "Commands that 'lamina run' has without a name and without -d are no containers.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "List those that do not run, too.")
    var all = false

    @Flag(name: .shortAndLong, help: "Print IDs only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole IDs and commands.")
    var noTruncation = false

    @Flag(name: .shortAndLong, help: "Show the sizes of what containers have written.")
    var size = false

    @Flag(name: .shortAndLong, help: "Show the newest container, whether it runs or not.")
    var latest = false

    @Option(
        name: [.customShort("n"), .customLong("last")],
        help: ArgumentHelp("Show so many of the newest containers, whether they run or not.", valueName: "number"))
    var last: Int?

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only what fits: id=, name=, label=K[=V], status=, exited=CODE, ancestor=IMAGE, volume=, network=, health=none, before=, since=.",
            valueName: "filter"))
    var filters: [String] = []

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.ID}} {{.Names}}'.", valueName: "format"))
    var format: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "ID", header: "CONTAINER ID"), .init(field: "Image", header: "IMAGE"),
        .init(field: "Command", header: "COMMAND"), .init(field: "RunningFor", header: "CREATED"),
        .init(field: "Status", header: "STATUS"), .init(field: "Ports", header: "PORTS"),
        .init(field: "Names", header: "NAMES"), .init(field: "Size", header: "SIZE"),
        .init(field: "CreatedAt", header: "CREATED AT"), .init(field: "State", header: "STATE"),
        .init(field: "Labels", header: "LABELS"), .init(field: "Mounts", header: "MOUNTS"),
        .init(field: "LocalVolumes", header: "LOCAL VOLUMES"), .init(field: "Networks", header: "NETWORKS"),
    ]

    func run() async throws {
        try await global.run {
            let root = try global.store()
            let store = ContainerStore(root)
            let filter = try ContainerFilter(filters, among: store) { try root.images.lookup($0)?.id }
            let limit = latest ? 1 : last
            let showsAll = all || limit != nil || filter.namesStates
            var containers = try store.list().filter { (showsAll || $0.isRunning) && filter.passes($0) }
            if let limit, limit >= 0 { containers = Array(containers.prefix(limit)) }
            if quiet, format == nil {
                for container in containers { say(noTruncation ? container.id : container.shortID) }
                return
            }
            let usual = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"]
            let list = try ListFormat(format, columns: Self.columns, shown: size ? usual + ["Size"] : usual)
            let now = Timestamp.now
            let showsSize = size || format?.contains(".Size") == true || format == "json"
            let rows = containers.map { container in
                ContainerRow(container: container, now: now, isWhole: noTruncation, showsSize: showsSize).json
            }
            for line in try list.lines(for: rows, labels: containers.map(\.record.labels)) { say(line) }
        }
    }
}

/// A container as a row of `ps`, in Docker's words.
struct ContainerRow {
    let container: Container
    let now: Timestamp
    let isWhole: Bool
    let showsSize: Bool

    var json: JSON {
        let record = container.record
        let command = record.command.joined(separator: " ")
        let labels = record.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let volumes = record.request.volumes.volumes
        return .object(
            ("ID", .string(isWhole ? container.id : container.shortID)), ("Image", .string(record.request.image)),
            ("Command", .string("\"\(isWhole || command.count <= 20 ? command : command.prefix(19) + "…")\"")),
            ("RunningFor", .string(HumanDuration.ago(record.created, now: now))), ("Status", .string(status)),
            ("Ports", .string(container.isRunning ? Self.text(of: container.state.ports) : "")),
            ("Names", .string(record.name)),
            ("Size", .string(showsSize ? HumanSize.short((try? container.writtenBytes()) ?? 0) : "N/A")),
            ("CreatedAt", .string("\(record.created.civil(separator: " ")) +0000 UTC")),
            ("State", .string(container.state.status.rawValue)), ("Labels", .string(labels.joined(separator: ","))),
            ("Mounts", .string(volumes.map { $0.name ?? $0.source.string }.joined(separator: ","))),
            ("LocalVolumes", .string("\(volumes.count { $0.name != nil })")),
            ("Networks", .string(record.request.ports.isEmpty ? record.request.network.mode.rawValue : "private")))
    }

    private var status: String {
        let state = container.state
        switch state.status {
        case .created: return "Created"
        case .running: return "Up \(HumanDuration.text(seconds: now.seconds - (state.started ?? now).seconds))"
        case .exited:
            return "Exited (\(state.exitCode)) \(HumanDuration.ago(state.finished ?? state.started, now: now))"
        }
    }

    /// The ports as Docker lists them.
    static func text(of ports: [PortMapping]) -> String {
        ports.map {
            "\($0.address ?? "0.0.0.0"):\($0.host.map(String.init) ?? "")->\($0.inside)/\($0.transport.rawValue)"
        }
        .joined(separator: ", ")
    }
}

struct PortCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "port", abstract: "List the ports of this machine that lead to a container.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "container"))
    var container: String

    @Argument(help: ArgumentHelp("Only this port of the command.", valueName: "port[/tcp]"))
    var port: String?

    func run() async throws {
        try await global.run {
            let container = try ContainerStore(global.store()).find(container)
            let wanted = try port.map { try PortMapping.parse($0) }
            let ports = container.isRunning ? container.state.ports : []
            let shown = ports.filter { port in
                wanted?.contains { $0.inside == port.inside && $0.transport == port.transport } ?? true
            }
            if let port, shown.isEmpty {
                throw CommandError(.badOutput, "no public port '\(port)' published for \(container.record.name)")
            }
            if document.isDocument {
                let rows = shown.map { port in
                    JSON.object(
                        ("inside", .integer(Int(port.inside))), ("transport", .string(port.transport.rawValue)),
                        ("address", .string(port.address ?? "0.0.0.0")),
                        ("port", port.host.map { .integer(Int($0)) } ?? .null))
                }
                return try document.show(("ports", .array(rows)))
            }
            for one in shown {
                let place = "\(one.address ?? "0.0.0.0"):\(one.host.map(String.init) ?? "")"
                say(port == nil ? "\(one.inside)/\(one.transport.rawValue) -> \(place)" : place)
            }
        }
    }
}
