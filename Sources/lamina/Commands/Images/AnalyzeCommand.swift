import Advice
import ArgumentParser
import Comparison
import Console
import Diagnostics
import Engine
import GoCompat
import Images
import Inspector
import Linux
import OCI
import Pages
import Requests
import Store
import Viewer

struct AnalyzeCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Show where an image's bytes are, and which of them nobody can see.",
        discussion: """
            On a terminal, a view to walk in; '?' lists its keys. Otherwise, or with --format, tables or JSON. With --ci, \
            the rules of .dive-ci are evaluated.

            EXAMPLES:
              lamina analyze app
              lamina analyze --ci --format sarif -o findings.sarif app
              lamina analyze --format html -o report.html docker://debian:bookworm
            """,
        aliases: ["dive"])

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup(title: "Rules") var rules: PolicyOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(help: ArgumentHelp("table, json or html; with rules also junit, sarif or markdown.", valueName: "format"))
    var format: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write to this file in place of the standard output.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The image of this platform, where a name has several.", valueName: "os/arch"))
    var platform: String?

    @Option(help: ArgumentHelp("How many of the most wasteful paths to list.", valueName: "number"))
    var paths = 10

    @Flag(help: "Name changes of the Dockerfile that make the image smaller, with the bytes that they save.")
    var advise = false

    @Flag(name: .customLong("dive-json"), help: "Print the document that dive's --json writes.")
    var diveJSON = false

    @Argument(
        help: ArgumentHelp(
            "A name or an ID, a path such as ./app.tar, or docker://NAME and other transports.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("Another image, to see both side by side.", valueName: "other"))
    var other: String?

    private static let reports = ["junit", "sarif", "markdown"]

    func validate() throws {
        let formats = ["table", "json", "html"] + Self.reports
        if let format, !formats.contains(format) {
            throw ValidationError("unknown format '\(format)': use \(formats.joined(separator: ", "))")
        }
        if rules.ci, format == "html" {
            throw ValidationError("a page shows no rules: leave out --ci or --format html")
        }
        if advise, rules.ci || !["table", "json"].contains(format ?? "table") {
            throw ValidationError("--advise prints a table or, with --format json, a document, and evaluates no rules")
        }
        if diveJSON, advise || rules.ci || format != nil {
            throw ValidationError("--dive-json is a format of its own: leave out --format, --ci and --advise")
        }
        if other != nil, format != nil || output != nil || rules.ci || advise || diveJSON {
            throw ValidationError("two images are only shown side by side: use 'lamina diff' for a report")
        }
        guard paths >= 0 else { throw ValidationError("--paths takes a number from 0 on") }
    }

    func run() async throws {
        try await global.run {
            let environment: @Sendable (String) -> String? = { OutputTerminal.environment($0) }
            if let other {
                try await compare(with: other, environment)
                return
            }
            let rulesCount = !advise && !diveJSON && evaluatesRules(environment)
            let isView =
                !advise && !diveJSON && !rulesCount && format == nil && output == nil
                && ImageViewDriver.isPossible(environment: environment)
            if isView {
                try await view(environment)
                return
            }
            let isAnalysisOnly = !rulesCount && !advise && !diveJSON && format != "html"
            if isAnalysisOnly, let stored = try await global.storedImage(image, registries, platform: platform) {
                // Without the tree of files, an image of many takes less memory.
                let inspector = StoreInspector(store: stored.transfer.store)
                try await offload { try show(inspector.analysis(of: stored.image)) }
                return
            }
            let (image, stored) = try await global.inspected(image, registries, platform: platform, usesTables: true)
            if rulesCount {
                try await evaluateRules(image)
            } else {
                let origins = ImageSources.of(stored).map { $0?.origin }
                try await offload { try report(image, origins) }
            }
        }
    }

    /// Shows the view. Of an image of the store the layers are shown at once, and the files when their lists are read.
    private func view(_ environment: @escaping @Sendable (String) -> String?) async throws {
        let (name, bindings) = (image, try Self.bindings())
        guard let stored = try await global.storedImage(name, registries, platform: platform) else {
            let image = try await global.inspected(name, registries, platform: platform, usesTables: true).image
            try await ImageViewDriver(
                subject: ViewedImage(name: name, image: image), bindings: bindings, environment: environment
            ).run()
            return
        }
        let inspector = StoreInspector(store: stored.transfer.store)
        let sources = ImageSources.of(stored)
        let outline = try inspector.outline(of: stored.image)
        try await ImageViewDriver(
            outline: ViewedImage(name: name, image: outline, sources: sources, isRead: false), bindings: bindings,
            environment: environment
        ) {
            ViewedImage(name: name, image: try inspector.inspect(stored.image), sources: sources)
        }.run()
    }

    /// The keys of the configuration files.
    private static func bindings() throws -> KeyBindings {
        try ConfiguredDefaults(environment: GlobalOptions.environment).keyBindings
    }

    /// Shows two images side by side.
    private func compare(with other: String, _ environment: @escaping @Sendable (String) -> String?) async throws {
        guard ImageViewDriver.isPossible(environment: environment) else {
            throw CommandError(
                .badOutput, "two images are shown side by side on a terminal only",
                hint: "'lamina diff' prints how they differ.")
        }
        let old = try await global.inspected(image, registries, platform: platform)
        let new = try await global.inspected(other, registries, platform: platform)
        let pair = ImagePair(old: old.image, new: new.image)
        try await ImageViewDriver(
            subject: ViewedImage(names: (image, other), pair: pair), bindings: try Self.bindings(),
            environment: environment
        ).run()
    }

    private func report(_ image: InspectedImage, _ origins: [LayerOrigin?]) throws {
        if diveJSON {
            try ReportOutput(path: output).write([image.diveDocument.text()])
        } else if advise {
            try advise(image, origins)
        } else if format == "html" {
            try ReportOutput(path: output)
                .write(AnalysisPage(name: self.image, image: image, origins: origins).encoded())
        } else {
            try show(image.analysis)
        }
    }

    private func show(_ analysis: ImageAnalysis) throws {
        let result = ReportOutput(path: output)
        if format == "json" {
            try result.write([analysis.json(pathLimit: paths).text(.pretty(2))])
        } else {
            try result.write(AnalysisTable(analysis, pathLimit: paths).lines)
        }
    }

    private func advise(_ image: InspectedImage, _ origins: [LayerOrigin?]) throws {
        let advice = try Advice.advice(for: image, origins: origins)
        let text = AdviceText(image, origins)
        let result = ReportOutput(path: output)
        guard format == "json", case .object(var object) = image.analysis.json(pathLimit: paths) else {
            try result.write(text.lines(advice))
            return
        }
        object["advice"] = .array(advice.map(text.json))
        try result.write([JSON.object(object).text(.pretty(2))])
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
            let other = try await global.inspected(name, registries, platform: platform, usesTables: true).image
            baseline = other.analysis.size
        }
        let growth = baseline
        let evaluation = try await offload { try PolicyEvaluation(policy, for: image, baseline: growth) }
        let report = PolicyReport(
            name: self.image, analysis: image.analysis,
            evaluation: evaluation)
        let result = ReportOutput(path: output)
        switch format {
        case "json": try result.write([report.json(pathLimit: paths).text(.pretty(2))])
        case "junit": try result.write([report.junit])
        case "sarif": try result.write([report.sarif(version: Version.current).text(.pretty(2))])
        case "markdown": try result.write([report.markdown])
        default: try result.write(report.lines)
        }
        if !report.evaluation.passes { throw ExitStatus.failure }
    }
}
