import ArgumentParser
import Console
import Diagnostics
import Engine
import GoCompat
import Images
import Inspector
import Linux
import OCI
import Requests
import Store

struct AnalyzeCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Show where an image's bytes are, and which of them nobody can see.",
        discussion: """
            On a terminal, a view to walk in; '?' lists its keys. Otherwise, or with --format, tables or JSON. With --ci, \
            the rules of .dive-ci are evaluated.
            """,
        aliases: ["dive"])

    @OptionGroup var global: GlobalOptions
    @OptionGroup(title: "Rules") var rules: PolicyOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(help: ArgumentHelp("table or json; with rules also junit, sarif or markdown.", valueName: "format"))
    var format: String?

    @Option(help: ArgumentHelp("How many of the most wasteful paths to list.", valueName: "number"))
    var paths = 10

    @Argument(help: ArgumentHelp("A name or an ID, or an archive or OCI layout such as ./app.tar.", valueName: "image"))
    var image: String

    private static let reports = ["junit", "sarif", "markdown"]

    func validate() throws {
        let formats = ["table", "json"] + Self.reports
        if let format, !formats.contains(format) {
            throw ValidationError("unknown format '\(format)': use \(formats.joined(separator: ", "))")
        }
        guard paths >= 0 else { throw ValidationError("--paths takes a number from 0 on") }
    }

    func run() async throws {
        try await global.run {
            let (image, stored) = try await global.inspected(image, registries)
            let environment: @Sendable (String) -> String? = { OutputTerminal.environment($0) }
            if evaluatesRules(environment) {
                try await evaluateRules(image)
            } else if format == nil, ImageViewDriver.isPossible(environment: environment) {
                let sources = stored.map { stored in
                    ImageSources(store: stored.transfer.store)
                        .sources(of: stored.image.id, diffIDs: stored.image.diffIDs)
                }
                let subject = ViewedImage(name: self.image, image: image, sources: sources ?? [])
                try await ImageViewDriver(subject: subject, environment: environment).run()
            } else {
                show(image.analysis)
            }
        }
    }

    private func show(_ analysis: ImageAnalysis) {
        if format == "json" {
            say(analysis.json(pathLimit: paths).text(.pretty(2)))
        } else {
            for line in AnalysisTable(analysis, pathLimit: paths).lines { say(line) }
        }
    }

    // MARK: Rules

    /// An explicit table or document stays without rules in continuous integration, as dive's `--json` does.
    private func evaluatesRules(_ environment: (String) -> String?) -> Bool {
        if rules.ci || format.map(Self.reports.contains) ?? false { return true }
        return format == nil && PolicyOptions.isAsked(by: environment("CI"))
    }

    private func evaluateRules(_ image: InspectedImage) async throws {
        let policy = try rules.policy()
        var baseline: Int64?
        if let name = rules.baseline {
            baseline = try await global.inspected(name, registries).image.analysis.size
        }
        let report = PolicyReport(
            name: self.image, analysis: image.analysis,
            evaluation: try PolicyEvaluation(policy, for: image, baseline: baseline))
        switch format {
        case "json": say(report.json(pathLimit: paths).text(.pretty(2)))
        case "junit": say(report.junit)
        case "sarif": say(report.sarif(version: Version.current).text(.pretty(2)))
        case "markdown": say(report.markdown)
        default: for line in report.lines { say(line) }
        }
        if !report.evaluation.passes { throw ExitStatus.failure }
    }
}
