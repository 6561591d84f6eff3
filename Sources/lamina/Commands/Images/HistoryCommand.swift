import ArgumentParser
import Console
import Engine
import GoCompat
import Images
import Inspector
import OCI
import Store
import Transports

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the steps that made an image.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Flag(
        name: [.customShort("H"), .customLong("human")], inversion: .prefixedNo,
        help: "Print sizes and dates for people.")
    var human = true

    @Flag(name: .shortAndLong, help: "Print IDs only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole IDs and commands.")
    var noTruncation = false

    @Flag(name: .shortAndLong, help: "Print what each layer holds and how its step was made.")
    var verbose = false

    @Option(help: ArgumentHelp("The platform of an index to show (default: this machine's).", valueName: "os/arch"))
    var platform: String?

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Size}} {{.CreatedBy}}'.", valueName: "format"))
    var format: String?

    @Argument(
        help: ArgumentHelp("A name or an ID, or an image outside of the store as for analyze.", valueName: "image"))
    var image: String

    private var columns: [ListFormat.Column] {
        [
            .init(field: "ID", header: "IMAGE"), .init(field: "CreatedSince", header: human ? "CREATED" : "CREATED AT"),
            .init(field: "CreatedAt", header: "CREATED AT"), .init(field: "CreatedBy", header: "CREATED BY"),
            .init(field: "Size", header: "SIZE"), .init(field: "Comment", header: "COMMENT"),
        ] + (verbose ? VerboseHistory.columns : [])
    }

    func run() async throws {
        try await global.run {
            let platform = try platform.map { try Platform(parsing: $0) }
            let rows: [ImageHistory.Row]
            let details: () throws -> VerboseHistory
            if case .image(.store(let name)) = try ImageArgument(image) {
                let (images, stored) = try await global.inspectable(name, registries, platform: platform)
                let inspector = StoreInspector(store: images.store)
                rows = try inspector.history(of: stored).rows
                details = { [human] in
                    VerboseHistory(
                        analysis: try inspector.analysis(of: stored),
                        sources: ImageSources(store: images.store).sources(of: stored.id, diffIDs: stored.diffIDs),
                        isForPeople: human)
                }
            } else {
                let foreign = try await global.inspected(
                    image, registries, platform: self.platform, usesTables: true
                ).image
                rows = foreign.history.rows
                details = { [human] in
                    VerboseHistory(analysis: foreign.analysis, sources: [], isForPeople: human)
                }
            }
            if quiet {
                for row in rows { say(row.idText(full: noTruncation)) }
                return
            }
            let shown = verbose ? VerboseHistory.shown : ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"]
            let list = try ListFormat(format, columns: columns, shown: shown)
            let now = Timestamp.now
            var documents = rows.map { json($0, now: now) }
            if verbose { documents = try details().extended(documents, rows) }
            for line in try list.lines(for: documents) { say(line) }
        }
    }

    private func json(_ row: ImageHistory.Row, now: Timestamp) -> JSON {
        // Docker takes anything before 2000 for no date at all.
        let created = row.created.flatMap { $0.seconds > 946_684_800 ? $0 : nil }
        let date = row.created?.description ?? "N/A"
        let command = TerminalText.line(row.createdBy.split(separator: "\t").joined(separator: " "))
        return .object(
            ("ID", .string(row.idText(full: noTruncation))),
            ("CreatedSince", .string(human ? HumanDuration.ago(created, now: now) : date)),
            ("CreatedAt", .string(date)),
            ("CreatedBy", .string(noTruncation ? command : command.ellipsized(to: 45))),
            ("Size", .string(human ? HumanSize.short(row.size) : "\(row.size)")),
            ("Comment", .string(row.comment)))
    }
}
