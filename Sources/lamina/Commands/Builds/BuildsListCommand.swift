import ArgumentParser
import Console
import Engine
import GoCompat
import OCI
import Records
import Store

struct BuildsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the builds: those that run, then the others, the newest first.",
        aliases: ["list"])

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Print IDs only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print names and image IDs in full.")
    var noTruncation = false

    @Option(name: [.customShort("n"), .customLong("last")], help: "Only so many of the newest.")
    var last: Int?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Only builds with status=running|succeeded|failed|cancelled|lost, name=, target=, tag= or image=; may be repeated.",
            valueName: "key=value"))
    var filter: [String] = []

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.ID}} {{.Status}}'.", valueName: "format"))
    var format: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "ID", header: "BUILD ID"), .init(field: "Name", header: "NAME"),
        .init(field: "Target", header: "TARGET"), .init(field: "Status", header: "STATUS"),
        .init(field: "Cached", header: "CACHED"), .init(field: "CreatedSince", header: "CREATED"),
        .init(field: "CreatedAt", header: "CREATED AT"), .init(field: "Duration", header: "DURATION"),
        .init(field: "Tags", header: "TAGS"), .init(field: "Image", header: "IMAGE ID"),
        .init(field: "Error", header: "ERROR"),
    ]

    func validate() throws { _ = try filters() }

    func run() async throws {
        try await global.run {
            let filters = try filters()
            let history = BuildHistory(store: try global.store(.readOnly))
            let found = try history.list().filter { build in filters.allSatisfy { $0(build) } }
            let builds = last.map { found.prefix(max(0, $0)) } ?? found[...]
            if quiet {
                for build in builds { say(build.id) }
                return
            }
            let list = try ListFormat(
                format, columns: Self.columns, shown: ["ID", "Name", "Status", "Cached", "CreatedSince", "Duration"])
            let now = Timestamp.now
            for line in try list.lines(for: builds.map { json($0, now: now, isTable: list.isTable) }) { say(line) }
        }
    }

    private func filters() throws -> [@Sendable (BuildRecord) -> Bool] {
        try filter.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw ValidationError("invalid filter '\(text)': write it as key=value") }
            let value = parts[1]
            switch parts[0] {
            case "status":
                guard let status = BuildRecord.Status(rawValue: value) else {
                    throw ValidationError(
                        "invalid status '\(value)': use running, succeeded, failed, cancelled or lost")
                }
                return { $0.status == status }
            case "name": return { $0.name == value }
            case "target": return { $0.target == value }
            case "tag":
                let name = try? ImageReference(parsing: value).familiar
                return { build in build.tags.contains { $0 == name } }
            case "image":
                return { build in
                    build.imageID.map { $0.description.hasPrefix(value) || $0.hex.hasPrefix(value) } ?? false
                }
            default: throw ValidationError("invalid filter '\(text)': use status, name, target, tag or image")
            }
        }
    }

    private func json(_ build: BuildRecord, now: Timestamp, isTable: Bool) -> JSON {
        let name = build.target.isEmpty ? build.name : "\(build.name) (\(build.target))"
        let image = build.imageID.map { noTruncation ? $0.description : $0.short } ?? ""
        return .object(
            ("ID", .string(build.id)),
            ("Name", .string(isTable ? noTruncation ? name : name.ellipsized(to: 40) : build.name)),
            ("Target", .string(build.target)), ("Status", .string(build.status.rawValue)),
            ("Cached", .string("\(build.cachedSteps)/\(build.totalSteps)")),
            ("CreatedSince", .string(HumanDuration.ago(build.started, now: now))),
            ("CreatedAt", .string(build.started.description)),
            ("Duration", .string(HumanDuration.short(build.duration))),
            ("Tags", .string(build.tags.joined(separator: ", "))), ("Image", .string(image)),
            ("Error", .string(TerminalText.line(build.error ?? ""))))
    }
}
