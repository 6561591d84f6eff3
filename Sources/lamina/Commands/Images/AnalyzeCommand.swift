import ArgumentParser
import Console
import Diagnostics
import Engine
import GoCompat
import Images
import Inspector
import Linux
import OCI
import Store

struct AnalyzeCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Show where an image's bytes are, and which of them nobody can see.",
        discussion:
            "On a terminal, a view to walk in; '?' lists its keys. Otherwise, or with --format, tables or JSON.",
        aliases: ["dive"])

    @OptionGroup var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(help: ArgumentHelp("table or json.", valueName: "format"))
    var format: String?

    @Option(help: ArgumentHelp("How many of the most wasteful paths to list.", valueName: "number"))
    var paths = 10

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    func validate() throws {
        if let format, !["table", "json"].contains(format) {
            throw ValidationError("unknown format '\(format)': use table or json")
        }
        guard paths >= 0 else { throw ValidationError("--paths takes a number from 0 on") }
    }

    func run() async throws {
        try await global.run {
            let (images, image) = try await global.inspectable(image, registries)
            let inspector = StoreInspector(store: images.store)
            let environment: @Sendable (String) -> String? = { OutputTerminal.environment($0) }
            if format == nil, ImageViewDriver.isPossible(environment: environment) {
                let sources = ImageSources(store: images.store).sources(of: image.id, diffIDs: image.diffIDs)
                let subject = ViewedImage(name: self.image, image: try inspector.inspect(image), sources: sources)
                return try await ImageViewDriver(subject: subject, environment: environment).run()
            }
            let analysis = try inspector.analysis(of: image)
            if format == "json" {
                say(analysis.json(pathLimit: paths).text(.pretty(2)))
            } else {
                for line in AnalysisTable(analysis, pathLimit: paths).lines { say(line) }
            }
        }
    }
}

/// An analysis as tables for people.
private struct AnalysisTable {
    private let analysis: ImageAnalysis
    private let pathLimit: Int

    init(_ analysis: ImageAnalysis, pathLimit: Int) {
        self.analysis = analysis
        self.pathLimit = pathLimit
    }

    var lines: [String] { layers + [""] + waste + paths + summary }

    private var layers: [String] {
        var table = Table(headers: ["LAYER", "SIZE", "ADDED", "CHANGED", "REMOVED", "RECLAIMABLE", "CREATED BY"])
        for layer in analysis.layers {
            table.append([
                "\(layer.index + 1)", HumanSize.short(layer.size), tally(layer.added), tally(layer.changed),
                tally(layer.removed), HumanSize.short(layer.reclaimable.total),
                TerminalText.line(layer.command ?? "").ellipsized(to: 60),
            ])
        }
        return table.lines()
    }

    private func tally(_ files: FileTally) -> String {
        files.count == 0 ? "0" : "\(files.count) (\(HumanSize.short(files.bytes)))"
    }

    private var waste: [String] {
        guard !analysis.waste.isEmpty else { return [] }
        var table = Table(headers: ["RECLAIMABLE", "FILES", "REASON", "IN LAYER", "BY LAYER"])
        for waste in analysis.waste.sorted(by: { $0.files.bytes > $1.files.bytes }) {
            table.append([
                HumanSize.short(waste.files.bytes), "\(waste.files.count)", waste.reason.rawValue,
                "\(waste.holder + 1)", "\(waste.cause + 1)",
            ])
        }
        return table.lines() + [""]
    }

    private var paths: [String] {
        let wasteful = analysis.paths.prefix(pathLimit)
        guard !wasteful.isEmpty else { return [] }
        var table = Table(headers: ["WASTED", "COPIES", "REASON", "PATH"])
        for path in wasteful {
            table.append([
                HumanSize.short(path.bytes), "\(path.count)", path.reasons.map(\.rawValue).joined(separator: ", "),
                "/" + TerminalText.line(path.path.text),
            ])
        }
        return table.lines() + [""]
    }

    private var summary: [String] {
        let dive = analysis.dive
        return [
            "Size: \(HumanSize.short(analysis.size)), reclaimable: \(HumanSize.short(analysis.reclaimable.total)), "
                + "efficiency: \(Percentage.exact(analysis.efficiency))",
            "As dive counts: efficiency \(Percentage.exact(dive.efficiency)), wasted \(HumanSize.short(dive.wastedBytes)), "
                + "wasted of what was added: \(Percentage.exact(dive.wastedUserPercent))",
        ]
    }
}
