import Console
import Contexts
import DockerfileSyntax
import Engine
import Linux
import OCI
import SystemPackage

/// The reason why a build sees a path of its context or ignores it.
struct ContextReason {
    let decision: ContextListing.Decision
    let ignoreFile: FilePath?

    init(_ decision: ContextListing.Decision, ignoreFile: FilePath?) {
        self.decision = decision
        self.ignoreFile = ignoreFile
    }

    /// One line for people.
    var text: String {
        let name = decision.path.isEmpty ? "." : TerminalText.line(decision.path.text)
        let verdict = decision.isIgnored ? "ignored" : "not ignored"
        var text = "\(name): \(verdict), \(reason)"
        if decision.isIgnored, decision.isVisible { text += " (an exception takes back something below it)" }
        if !decision.exists { text += " (there is no such file)" }
        return text
    }

    private var reason: String {
        guard let ignoreFile else { return "as there is no ignore file" }
        guard let pattern = decision.pattern else { return "as nothing in \(ignoreFile) matches it" }
        let shown = TerminalText.line((pattern.isException ? "!" : "") + pattern.text)
        return "by line \(pattern.line) of \(ignoreFile): \(shown)"
    }

    var json: JSON {
        .object(
            ("path", .string(decision.path.text)), ("exists", .bool(decision.exists)),
            ("ignored", .bool(decision.isIgnored)), ("visible", .bool(decision.isVisible)),
            ("ignoreFile", ignoreFile.map { .string($0.string) } ?? .null),
            ("line", decision.pattern.map { .integer($0.line) } ?? .null),
            ("pattern", decision.pattern.map { .string(($0.isException ? "!" : "") + $0.text) } ?? .null))
    }
}
