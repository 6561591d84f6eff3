import Console
import Diagnostics
import Frontend

/// The summary of a build's warnings at its end, in the form of docker.
struct WarningSummary: Sendable {
    /// Explains each warning.
    let isDebug: Bool
    /// The lines of a source file by its name; `nil` if there are none to show.
    let source: @Sendable (String) -> [String]?

    func lines(for warnings: [Warning]) -> [String] {
        guard !warnings.isEmpty else { return [] }
        let count = warnings.count == 1 ? "1 warning found" : "\(warnings.count) warnings found"
        var lines = ["", " \(count)\(isDebug ? "" : " (use --debug to expand)"):"]
        for warning in warnings {
            lines.append(" - \(TerminalText.line(warning.summary))")
            if isDebug { lines += details(of: warning) }
        }
        return lines
    }

    private func details(of warning: Warning) -> [String] {
        var lines = [warning.detail]
        if let page = warning.url ?? warning.page { lines.append("More info: \(page)") }
        if let text = source(warning.location.file) {
            lines += SourceExcerpt(warning.location, of: text).render().map(TerminalText.neutralised)
        }
        return lines + [""]
    }
}
