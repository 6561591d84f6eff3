import Console
import Engine
import GoCompat
import OCI
import Records

/// Shows why the steps of a build ran or did not, by stage, for people.
struct ExplanationText {
    private enum Style: String {
        case hit = "34"
        case miss = "33"
        case failure = "31"
        case faint = "2"
    }

    let explanation: Explanation
    /// The width of the terminal, and whether it shows colours; without one the text is plain.
    var terminal: (columns: Int, useColours: Bool)?
    let now: Timestamp

    private var steps: [RecordedStep] { explanation.build.details.steps }

    func lines() -> [String] {
        var lines = [header()]
        if let beginning = explanation.beginning, explanation.former != nil {
            lines.append("It began with \(title(of: beginning.position)): \(causes(of: beginning))")
        }
        var stage: String?
        for finding in explanation.findings {
            let title = StepTitle(steps[finding.position].label)
            if title.stage != stage {
                lines += [""] + (title.stage.isEmpty ? [] : [title.stage])
                stage = title.stage
            }
            lines += self.lines(for: finding, title)
        }
        return lines
    }

    private func header() -> String {
        let work = explanation.build.details.work
        let hits = work.count { $0.outcome.isHit }
        let counts = "\(hits) of \(work.count) steps cached"
        guard let former = explanation.former else {
            return "Build \(explanation.build.id): \(counts); no former build of this Dockerfile is recorded"
        }
        let age = HumanDuration.ago(former.started, now: now)
            .replacing("Less", with: "less", maxReplacements: 1).replacing("About", with: "about", maxReplacements: 1)
        return "Build \(explanation.build.id), compared with \(former.id) (\(age)): \(counts)"
    }

    private func lines(for finding: Explanation.Finding, _ title: StepTitle) -> [String] {
        let (mark, word, style) = verdict(on: finding)
        let number = title.number.isEmpty ? "" : "\(title.number) "
        let status = TerminalText.padded(word, columns: 11)
        let text = TerminalText.line(title.text)
        var first = "  \(status)\(number)\(text)"
        if let terminal {
            first = TerminalText.prefix("  \(mark) \(status)\(number)\(text)", columns: max(20, terminal.columns - 1))
            if terminal.useColours { first = "\u{1b}[\(style.rawValue)m\(first)\u{1b}[0m" }
        }
        guard let note = note(on: finding) else { return [first] }
        let indent = String(repeating: " ", count: terminal == nil ? 13 : 15)
        return [first, indent + note]
    }

    private func verdict(on finding: Explanation.Finding) -> (mark: String, word: String, style: Style) {
        let step = steps[finding.position]
        if step.kind == .image {
            if explanation.isMiss(finding) { return ("✗", "changed", .miss) }
            return ("✓", explanation.former == nil ? "base" : "same", .hit)
        }
        switch step.outcome {
        case .cached, .unchanged: return ("✓", "CACHED", .hit)
        case .ran: return ("✗", finding.comparedWith == nil ? "built" : "rebuilt", .miss)
        case .failed: return ("✗", "FAILED", .failure)
        case .cancelled: return ("✗", "cancelled", .failure)
        case .notReached: return (" ", "not reached", .faint)
        }
    }

    /// The notes about a step besides its verdict.
    private func note(on finding: Explanation.Finding) -> String? {
        let step = steps[finding.position]
        guard !finding.causes.isEmpty, step.outcome != .notReached else { return nil }
        if explanation.isMiss(finding) {
            // Without anything to compare with there is nothing to say of each step.
            return finding.causes == [.firstBuild] ? nil : causes(of: finding)
        }
        if step.kind == .image { return nil }
        if step.outcome == .unchanged, let origin = finding.origin {
            return "\(title(of: origin)) changed, but the files this step gets are the same"
        }
        return "known from another build; compared with \(finding.comparedWith ?? ""): \(causes(of: finding))"
    }

    private func title(of position: Int) -> String { Self.title(of: steps[position].label) }

    /// A step as other steps name it: `[build 3/4] COPY`.
    static func title(of label: String) -> String {
        let title = StepTitle(label)
        guard !title.number.isEmpty else { return TerminalText.line(title.text).ellipsized(to: 40) }
        return "[\(title.stage.isEmpty ? "" : title.stage + " ")\(title.number)] \(title.keyword)"
    }

    private func causes(of finding: Explanation.Finding) -> String {
        var sentences = finding.causes.prefix(3).map(CauseText(explanation).sentence)
        if finding.causes.count > 3 { sentences.append("and \(finding.causes.count - 3) more differences") }
        return sentences.joined(separator: "; ")
    }
}

extension CauseText {
    /// The words for the causes in an explanation.
    init(_ explanation: Explanation) {
        let steps = explanation.build.details.steps
        self.init(
            name: { ExplanationText.title(of: steps[$0].label) },
            verb: { position in
                switch explanation.findings.first(where: { $0.position == position })?.causes {
                case [.noCache], [.recordGone]: "ran again and gave other files"
                case [.newStep]: "is new"
                default: "changed"
                }
            })
    }
}
