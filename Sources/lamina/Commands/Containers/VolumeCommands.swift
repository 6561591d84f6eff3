import ArgumentParser
import Console
import Containers
import Diagnostics
import GoCompat
import OCI
import Store
import SystemPackage

/// The group of volumes with names.
struct VolumeGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "List and remove directories that containers share by a name.",
        subcommands: [
            VolumeCreateCommand.self, VolumeListCommand.self, VolumeInspectCommand.self, VolumeRemoveCommand.self,
            VolumePruneCommand.self,
        ])
}

struct VolumeCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a volume; one that is there stays as it is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        parsing: .unconditionalSingleValue, help: ArgumentHelp("A label of the volume.", valueName: "K[=V]"))
    var label: [String] = []

    @Argument(help: ArgumentHelp("The name (default: a chosen one).", valueName: "name"))
    var name: String?

    func run() async throws {
        try await global.run {
            var labels: [String: String] = [:]
            for text in label {
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                labels[parts[0]] = parts.count > 1 ? parts[1] : ""
            }
            say(try VolumeStore(global.store()).open(name ?? ContainerNames.newID(), labels: labels).name)
        }
    }
}

struct VolumeListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List volumes.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Print names only.")
    var quiet = false

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only what fits: name=, label=K[=V], dangling=true.", valueName: "filter"))
    var filters: [String] = []

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Name}}'.", valueName: "format"))
    var format: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "Driver", header: "DRIVER"), .init(field: "Name", header: "VOLUME NAME"),
        .init(field: "Mountpoint", header: "MOUNTPOINT"), .init(field: "Labels", header: "LABELS"),
        .init(field: "Scope", header: "SCOPE"),
    ]

    func run() async throws {
        try await global.run {
            let store = try VolumeStore(global.store(.readOnly))
            let volumes = try store.list().filter { volume in
                try filters.allSatisfy { try Self.passes(volume, $0, store) }
            }
            if quiet { return volumes.forEach { say($0.name) } }
            let list = try ListFormat(format, columns: Self.columns, shown: ["Driver", "Name"])
            let rows = volumes.map { volume in
                JSON.object(
                    ("Driver", .string("local")), ("Name", .string(volume.name)),
                    ("Mountpoint", .string(volume.mountpoint.string)),
                    (
                        "Labels",
                        .string(
                            volume.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                                separator: ","))
                    ), ("Scope", .string("local")))
            }
            for line in try list.lines(for: rows, labels: volumes.map(\.labels)) { say(line) }
        }
    }

    private static func passes(_ volume: Volume, _ filter: String, _ store: VolumeStore) throws -> Bool {
        let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("name", let value?): return volume.name.contains(value)
        case ("dangling", "true"): return try store.users(of: volume.name).isEmpty
        case ("dangling", "false"): return try !store.users(of: volume.name).isEmpty
        case ("label", let value?):
            let label = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let found = volume.labels[label[0]] else { return false }
            return label.count == 1 || found == label[1]
        default:
            throw CommandError(
                .badFilter, "invalid filter '\(filter)'", hint: "Use name=, label= or dangling=true.")
        }
    }
}

struct VolumeInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "inspect", abstract: "Show volumes as JSON.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("json, or a template such as '{{.Mountpoint}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("Names.", valueName: "volume"))
    var volumes: [String]

    func run() async throws {
        try await global.run {
            let store = try VolumeStore(global.store(.readOnly))
            let documents = try volumes.map { name -> JSON in
                guard let volume = try store.find(name) else {
                    throw ContainersError(.volumeNotFound, "no such volume: \(name)", hint: "See 'lamina volume ls'.")
                }
                return .object(
                    ("CreatedAt", .string(volume.created.description)), ("Driver", .string("local")),
                    ("Labels", JSON.sortedMap(volume.labels) ?? .null),
                    ("Mountpoint", .string(volume.mountpoint.string)), ("Name", .string(volume.name)),
                    ("Options", .null), ("Scope", .string("local")))
            }
            guard let format else { return say(JSON.array(documents).text(.pretty(4))) }
            let template = try GoTemplate(format: format)
            for document in documents { say(try template.render(document)) }
        }
    }
}

struct VolumeRemoveCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove volumes and their files.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "One that is not there is no failure.")
    var force = false

    @Argument(help: ArgumentHelp("Names.", valueName: "volume"))
    var volumes: [String]

    func run() async throws {
        try await global.run {
            let store = try VolumeStore(global.store())
            for name in volumes {
                do { try store.remove(name) } catch let error as ContainersError
                    where force && error.code == .volumeNotFound
                {}
                say(name)
            }
        }
    }
}

struct VolumePruneCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove anonymous volumes that no container has; with -a those with a name, too.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Flag(name: .shortAndLong, help: "Remove volumes with a name, too.")
    var all = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    func run() async throws {
        try await global.run {
            if !force {
                let kind = all ? "volumes" : "anonymous volumes"
                guard try await Confirmation.isGiven("This will remove all \(kind) that no container has.") else {
                    return
                }
            }
            let pruned = try Self.prune(global.store(), all: all)
            if document.isDocument { return try document.show(("reclaimed", .integer(pruned.bytes)), pruned.member()) }
            pruned.report()
            say("Total reclaimed space: \(HumanSize.short(pruned.bytes))")
        }
    }

    /// Removes volumes that no container has: those that are anonymous, or all.
    static func prune(_ root: StoreRoot, all: Bool) throws -> PrunedItems {
        let store = VolumeStore(root)
        var pruned = PrunedItems(kind: "Volumes")
        for volume in try store.list() where try (all || volume.isAnonymous) && store.users(of: volume.name).isEmpty {
            let size = try volume.bytes()
            try store.remove(volume.name)
            pruned.add(volume.name, size)
        }
        return pruned
    }
}
