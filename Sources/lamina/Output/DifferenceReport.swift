import Comparison
import Console
import GoCompat
import Inspector
import Linux
import OCI
import Packages

/// The difference of two images for people: as tables for a terminal, or in Markdown.
struct DifferenceReport {
    private let difference: ImageDifference
    private let fileLimit: Int

    init(_ difference: ImageDifference, fileLimit: Int) {
        self.difference = difference
        self.fileLimit = fileLimit
    }

    /// A table, whose cells are foreign text.
    private struct Section {
        let title: String
        let headers: [String]
        let rows: [[String]]
    }

    // MARK: Contents

    private var images: Section {
        let common = difference.commonLayers
        let rows = [("old", difference.old), ("new", difference.new)].map { side, compared in
            let count = compared.image.tree.layerCount
            return [
                side, compared.name, HumanSize.short(compared.image.analysis.size), "\(count)", "\(count - common)",
            ]
        }
        return Section(title: "Images", headers: ["", "image", "size", "layers", "not in common"], rows: rows)
    }

    private var summary: String {
        let tally = difference.tally
        if difference.isEmpty { return "The images do not differ." }
        let times = tally.timeOnly == 0 ? "" : ", \(tally.timeOnly) in time only"
        return
            "Files: \(tally.added) added, \(tally.removed) removed, \(tally.changed) changed\(times); "
            + "size \(Self.signed(tally.sizeChange))"
    }

    private var sections: [Section] {
        [config, packages, steps, files].filter { !$0.rows.isEmpty }
    }

    private var config: Section {
        let rows = difference.config.map { [$0.field, Self.text($0.old, $0.field), Self.text($0.new, $0.field)] }
        return Section(title: "Config", headers: ["field", "old", "new"], rows: rows)
    }

    private static func text(_ value: JSON?, _ field: String) -> String {
        guard let value else { return "-" }
        if field == "history", let steps = value.array { return "\(steps.count) steps" }
        return Self.line(value.string ?? value.text()).ellipsized(to: 60)
    }

    private var packages: Section {
        let rows = difference.packages.map { package in
            [
                package.manager.rawValue, package.name, Self.versions(package.old), Self.versions(package.new),
                package.sizeChange.map(Self.signed) ?? "",
            ].map(Self.line)
        }
        return Section(title: "Packages", headers: ["manager", "package", "old", "new", "size"], rows: rows)
    }

    private static func versions(_ versions: [String]) -> String {
        versions.isEmpty ? "-" : versions.joined(separator: ", ")
    }

    private var steps: Section {
        let rows = difference.steps.map { step in
            let compared = step.side == .old ? difference.old : difference.new
            let origin = compared.origins[step.layer]
            let source = origin.flatMap { $0.text.isEmpty ? nil : $0.text }
            let command = source ?? compared.image.analysis.layers[step.layer].command ?? ""
            return [
                step.side.rawValue, "\(step.layer + 1)", origin?.lineText ?? "-", "\(step.tally.added)",
                "\(step.tally.removed)", "\(step.tally.changed)", Self.signed(step.tally.sizeChange),
                Self.line(Self.joined(command)).ellipsized(to: 60),
            ]
        }
        return Section(
            title: "Steps",
            headers: ["image", "layer", "line", "added", "removed", "changed", "size", "step"], rows: rows)
    }

    /// The lines of an instruction as one, without the backslashes at their ends.
    private static func joined(_ command: String) -> String {
        command.split { $0.isNewline }.map { line in
            let words = line.split(separator: " ")
            return (words.last == "\\" ? words.dropLast() : words[...]).joined(separator: " ")
        }.joined(separator: " ")
    }

    /// Files with the largest changes.
    private var files: Section {
        let listed = difference.filesBySize
        let rows = listed.prefix(fileLimit).map { index in
            let file = difference.files[index]
            return [
                file.change.rawValue, Self.signed(file.sizeChange), file.causes.map(\.rawValue).joined(separator: ", "),
                "/" + VisibleText.escaped(file.path.bytes),
            ]
        }
        return Section(
            title: listed.count > rows.count ? "Files (\(rows.count) of \(listed.count))" : "Files",
            headers: ["change", "size", "cause", "path"], rows: rows)
    }

    private static func line(_ text: String) -> String { TerminalText.line(text) }

    private static func signed(_ bytes: Int64) -> String {
        guard bytes != 0 else { return "0B" }
        return (bytes < 0 ? "-" : "+") + HumanSize.short(Int64(clamping: bytes.magnitude))
    }

    // MARK: Forms

    var lines: [String] {
        var lines = Self.table(images) + [""]
        for section in sections { lines += Self.table(section) + [""] }
        return lines + [summary]
    }

    private static func table(_ section: Section) -> [String] {
        var headers = section.headers.map { $0.uppercased() }
        if let range = section.title.firstRange(of: " (") {
            headers[headers.count - 1] += section.title[range.lowerBound...]
        }
        var table = Table(headers: headers, minimumWidth: 5)
        for row in section.rows { table.append(row) }
        return table.lines()
    }

    /// A comment for a pull request.
    var markdown: String {
        var text = "### \(MarkdownText.escaped(difference.old.name)) → \(MarkdownText.escaped(difference.new.name))\n\n"
        text += "\(summary)\n\n" + MarkdownText.table(images.headers, images.rows.map { $0.map(MarkdownText.escaped) })
        for section in sections {
            text += "\n<details><summary>\(section.title): \(section.rows.count)</summary>\n\n"
            text += MarkdownText.table(section.headers, section.rows.map { $0.map(MarkdownText.escaped) })
            text += "\n</details>\n"
        }
        return text
    }
}
