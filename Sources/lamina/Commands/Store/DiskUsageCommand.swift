import ArgumentParser
import Containers
import GoCompat
import OCI
import Store

struct DiskUsageCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "df", abstract: "Show what the store takes on disk, and what of it can go.", aliases: ["du"])

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "List what can go: results of steps, cache mounts, images without a name.")
    var verbose = false

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Type}}: {{.Size}}'.", valueName: "format"))
    var format: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "Type", header: "TYPE"), .init(field: "TotalCount", header: "TOTAL"),
        .init(field: "Active", header: "ACTIVE"), .init(field: "Size", header: "SIZE"),
        .init(field: "Reclaimable", header: "RECLAIMABLE"),
    ]

    func run() async throws {
        try await global.run {
            let store = try global.store(.readOnly)
            let ledger = try store.ledger()
            if verbose {
                let list = try UsageList(format)
                if list.isTable { try summarise(ledger.usage(of: store), ContainerUsage(of: store), as: nil) }
                for line in try list.lines(for: ledger.records.reversed()) { say(line) }
            } else {
                try summarise(ledger.usage(of: store), ContainerUsage(of: store), as: format)
            }
        }
    }

    private func summarise(_ usage: DiskUsage, _ own: ContainerUsage, as format: String?) throws {
        let list = try ListFormat(format, columns: Self.columns)
        let rows = [
            Self.row("Images", usage.images), Self.row("Containers", own.containers),
            Self.row("Local Volumes", own.volumes), Self.row("Build Cache", usage.cache),
            Self.row("Cache mounts", usage.cacheMounts), Self.row("Blobs", usage.blobs),
            Self.row("Snapshots", usage.snapshots), Self.row("File lists", usage.fileLists),
            Self.row("Build records", .init(total: usage.builds, active: 0, reclaimable: 0)),
        ]
        for line in try list.lines(for: rows) { say(line) }
        guard list.isTable else { return }
        say("")
        let total = [usage.total, own.containers.total.bytes, own.volumes.total.bytes].clampedSum { $0 }
        let free = [usage.reclaimable, own.containers.reclaimable, own.volumes.reclaimable].clampedSum { $0 }
        say("Total on disk: \(HumanSize.short(total)), of which can go: \(HumanSize.short(free))")
        if verbose { say("") }
    }

    private static func row(_ type: String, _ category: DiskUsage.Category) -> JSON {
        let (size, free) = (category.total.bytes, category.reclaimable)
        let share = Percentage.whole(Double(free), of: Double(size), rounded: .towardZero).map { " (\($0))" } ?? ""
        return .object(
            ("Type", .string(type)), ("TotalCount", .string("\(category.total.count)")),
            ("Active", .string("\(category.active)")), ("Size", .string(HumanSize.short(size))),
            ("Reclaimable", .string(HumanSize.short(free) + share)))
    }
}
