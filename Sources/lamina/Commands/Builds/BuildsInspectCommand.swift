import ArgumentParser
import Console
import Diagnostics
import Engine
import GoCompat
import OCI
import Records
import Solver
import Store

struct BuildsInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what is recorded of a build.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("text, json, or a template such as '{{.Status}}'.", valueName: "format")
    )
    var format: String?

    @Flag(help: "Say where the time went: per step, with the critical path.")
    var timings = false

    @Option(help: ArgumentHelp("Write the build's timeline for chrome://tracing and Perfetto.", valueName: "file"))
    var trace: String?

    @Argument(help: ArgumentHelp("The build (default: the newest).", valueName: "build"))
    var build: String?

    func run() async throws {
        try await global.run {
            let history = BuildHistory(store: try global.store(.readOnly))
            let build = try history.build(build)
            if let trace { try ChromeTrace(build: build).write(to: ChromeTrace.create(trace)) }
            if timings { for line in TimingsText(build: build).lines() { say(line) } }
            switch format {
            case nil where timings || trace != nil: break
            case nil, "text": for line in Self.lines(of: build) { say(line) }
            case "json": say(history.json(of: build).text(.pretty(2)))
            case let format?: say(try GoTemplate(format: format).render(history.json(of: build)))
            }
        }
    }

    private static func lines(of build: PastBuild) -> [String] {
        let (record, details) = (build.record, build.details)
        var rows: [(String, String)] = [
            ("Build", record.id), ("Name", record.name), ("Target", record.target),
            ("Dockerfile", details.dockerfile), ("Context", details.context), ("Platform", details.platform),
            ("Arguments", details.arguments.joined(separator: " ")), ("Tags", record.tags.joined(separator: ", ")),
            ("Started", record.started.civil(separator: " ") + " UTC"),
            ("Duration", HumanDuration.short(record.duration)),
            ("Steps", "\(record.totalSteps), \(record.cachedSteps) of them cached"),
            ("Status", record.status.rawValue), ("Image", record.imageID?.description ?? ""),
        ]
        if let error = record.error { rows.append(("Error", error)) }
        if let failure = build.failure {
            let place = failure.location.map { "\($0.file):\($0.lines.lowerBound)" }
            rows += [("Code", failure.code ?? ""), ("Location", place ?? ""), ("Hint", failure.hint ?? "")]
        }
        let width = (rows.map(\.0.count).max() ?? 0) + 3
        var lines = rows.filter { !$0.1.isEmpty }.map { "\("\($0.0):".padding(to: width))\(TerminalText.line($0.1))" }
        var table = Table(headers: ["STEP", "STATUS", "TIME", "OUTPUT", "INSTRUCTION"])
        for step in details.steps.filter({ $0.number > 0 }).sorted(by: { $0.number < $1.number }) {
            let runs = record.status == .running && step.ended == nil
            table.append([
                "#\(step.number)", runs ? "running" : step.outcome.word, step.wall.map(HumanDuration.short) ?? "",
                step.outputBytes == 0 ? "" : HumanSize.short(step.outputBytes), TerminalText.line(step.label),
            ])
        }
        lines += [""] + table.lines()
        return lines
    }
}

extension RecordedStep.Outcome {
    /// The outcome as tables show it.
    var word: String {
        switch self {
        case .cached, .unchanged: "cached"
        case .ran: "done"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .notReached: "not reached"
        }
    }
}
