import Console
import GoCompat
import Inspector
import Linux
import OCI

/// The outcome of the rules for an image, in the forms that people and the systems of continuous integration read.
struct PolicyReport: Sendable {
    let name: String
    let analysis: ImageAnalysis
    let evaluation: PolicyEvaluation

    /// More findings of one rule are counted, not listed, where people read.
    private static let shownFindings = 20

    /// A summary such as `FAIL [pass:1 fail:1 skip:1]`.
    var summary: String {
        let counts = [PolicyEvaluation.Status.passed, .failed, .skipped].map {
            "\($0.rawValue):\(evaluation.count($0))"
        }
        return "\(evaluation.passes ? "PASS" : "FAIL") [\(counts.joined(separator: " "))]"
    }

    static func path(_ finding: PolicyEvaluation.Finding) -> String? {
        finding.path.map { "/" + VisibleText.escaped($0.bytes) }
    }

    /// A finding in one line.
    static func line(_ finding: PolicyEvaluation.Finding) -> String {
        let layer = finding.layer.map { "layer \($0 + 1)" }
        guard let path = path(finding) else { return finding.text }
        let details = [layer, finding.text.isEmpty ? nil : VisibleText.escaped(Array(finding.text.utf8))]
        return "\(path) (\(details.compactMap(\.self).joined(separator: ", ")))"
    }

    /// Tables as dive prints them.
    var lines: [String] {
        let dive = analysis.dive
        var lines = [
            "Analysis:", "  efficiency: \(Percentage.exact(dive.efficiency))",
            "  wastedBytes: \(dive.wastedBytes) bytes (\(HumanSize.short(dive.wastedBytes)))",
            "  userWastedPercent: \(Percentage.exact(dive.wastedUserPercent))", "",
        ]
        if !analysis.paths.isEmpty {
            var table = Table(headers: ["COUNT", "WASTED SPACE", "FILE PATH"])
            for path in analysis.paths.prefix(Self.shownFindings) {
                table.append(["\(path.count)", HumanSize.short(path.bytes), "/" + VisibleText.escaped(path.path.bytes)])
            }
            lines += ["Inefficient Files:"] + table.lines() + [""]
        }
        lines.append("Evaluation:")
        for result in evaluation.results {
            let message = result.message.isEmpty ? "" : ": \(result.message)"
            lines.append("  \(result.status.rawValue.uppercased()): \(result.rule)\(message)")
            for finding in result.findings.prefix(Self.shownFindings) { lines.append("    \(Self.line(finding))") }
            let rest = result.findings.count - Self.shownFindings
            if rest > 0 { lines.append("    and \(rest) more") }
        }
        return lines + ["", summary]
    }

    /// The analysis with the evaluation.
    func json(pathLimit: Int) -> JSON {
        guard case .object(var object) = analysis.json(pathLimit: pathLimit) else { return evaluation.json }
        object["evaluation"] = evaluation.json
        return .object(object)
    }

    // MARK: Markdown

    /// A comment for a pull request.
    var markdown: String {
        let dive = analysis.dive
        var text = "### \(evaluation.passes ? "✅" : "❌") \(MarkdownText.escaped(name))\n\n"
        text += "| size | wasted | efficiency | layers |\n|---|---|---|---|\n"
        text += "| \(HumanSize.short(analysis.size)) | \(HumanSize.short(dive.wastedBytes)) "
        text +=
            "| \(Percentage.exact(dive.efficiency)) | \(analysis.layers.count) |\n\n| rule | result | |\n|---|---|---|\n"
        for result in evaluation.results {
            text += "| \(result.rule) | \(result.status.rawValue) | \(MarkdownText.escaped(result.message)) |\n"
        }
        for result in evaluation.results where !result.findings.isEmpty {
            text += "\n<details><summary>\(result.rule): \(result.findings.count)</summary>\n\n"
            for finding in result.findings.prefix(Self.shownFindings) {
                text += "- \(MarkdownText.escaped(Self.line(finding)))\n"
            }
            let rest = result.findings.count - Self.shownFindings
            if rest > 0 { text += "- and \(rest) more\n" }
            text += "\n</details>\n"
        }
        return text
    }

    // MARK: JUnit

    /// A test suite with a case for each rule.
    var junit: String {
        let name = Self.xml(name)
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        let counts =
            "tests=\"\(evaluation.results.count)\" failures=\"\(evaluation.count(.failed))\" "
            + "skipped=\"\(evaluation.count(.skipped))\""
        text += "<testsuites>\n  <testsuite name=\"lamina analyze \(name)\" \(counts) errors=\"0\">\n"
        for result in evaluation.results {
            text += "    <testcase classname=\"\(name)\" name=\"\(Self.xml(result.rule))\""
            switch result.status {
            case .passed: text += "/>\n"
            case .skipped:
                text += ">\n      <skipped message=\"\(Self.xml(result.message))\"/>\n    </testcase>\n"
            case .failed:
                let findings = result.findings.map { Self.xml(Self.line($0)) }.joined(separator: "\n")
                text +=
                    ">\n      <failure message=\"\(Self.xml(result.message))\">\(findings)</failure>\n    </testcase>\n"
            }
        }
        return text + "  </testsuite>\n</testsuites>"
    }

    private static func xml(_ text: String) -> String {
        var result = ""
        for scalar in VisibleText.escaped(Array(text.utf8), doublingBackslashes: false).unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            // No character of XML 1.0.
            case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    // MARK: SARIF

    /// A log of SARIF 2.1.0 with the broken rules.
    func sarif(version: String) -> JSON {
        let rules = evaluation.results.map { result in
            JSON.object(
                ("id", .string(result.rule)),
                ("shortDescription", .object(("text", .string(Self.description(result.rule))))))
        }
        let results = evaluation.results.enumerated().filter { $0.element.status == .failed }.flatMap { index, result in
            let findings: [PolicyEvaluation.Finding?] = result.findings.isEmpty ? [nil] : result.findings
            return findings.map { sarif(result, index, $0) }
        }
        let driver = JSON.object(
            ("name", .string("lamina")), ("version", .string(version)), ("rules", .array(rules)))
        return .object(
            ("$schema", .string("https://json.schemastore.org/sarif-2.1.0.json")), ("version", .string("2.1.0")),
            (
                "runs",
                .array([.object(("tool", .object(("driver", driver))), ("results", .array(results)))])
            ))
    }

    private func sarif(_ result: PolicyEvaluation.Result, _ index: Int, _ finding: PolicyEvaluation.Finding?) -> JSON {
        let text = finding.map { "\(result.message): \(Self.line($0))" } ?? result.message
        // A location is a URI: the path in the image, or the image.
        let uri = Self.uri(finding?.path?.bytes ?? Array(name.utf8))
        return .object(
            ("ruleId", .string(result.rule)), ("ruleIndex", .integer(index)), ("level", .string("error")),
            ("message", .object(("text", .string(text)))),
            (
                "locations",
                .array([
                    .object(
                        (
                            "physicalLocation",
                            .object(("artifactLocation", .object(("uri", .string(uri)))))
                        ))
                ])
            ))
    }

    /// A relative reference of RFC 3986.
    private static func uri(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "-._~/".utf8.contains(byte)
            let hex = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(Character(Unicode.Scalar(byte))) : "%" + (byte < 16 ? "0" : "") + hex
        }.joined()
    }

    private static func description(_ rule: String) -> String {
        switch rule {
        case "lowestEfficiency": "The part of the image's bytes that is of use, as dive counts it"
        case "highestWastedBytes": "Bytes that are stored more than once, as dive counts them"
        case "highestUserWastedPercent": "Wasted bytes by those above the bottom layer, as dive counts them"
        case "highest-size": "The size of the image"
        case "highest-layer-size": "The size of each layer"
        case "highest-growth": "The growth against another image"
        case "highest-duplicate-bytes": "Equal files at several paths"
        case "setuid-files": "Files with the setuid or setgid bit"
        case "world-writable-files": "Files that everybody may write to"
        case "secrets": "Keys and credentials in any layer"
        case "package-caches": "Caches of package managers"
        case "forbidden-paths": "Files at forbidden paths"
        default: rule
        }
    }
}
