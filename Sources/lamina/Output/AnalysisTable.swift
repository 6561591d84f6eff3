import Console
import GoCompat
import Inspector
import Linux
import OCI

/// An analysis as tables for people.
struct AnalysisTable {
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
