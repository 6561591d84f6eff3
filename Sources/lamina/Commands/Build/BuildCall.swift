import ArgumentParser
import Console
import Engine
import Frontend
import OCI
import Solver

/// The value of `--call`: what to find out about a Dockerfile instead of building it.
struct BuildCall: Hashable, Sendable {
    enum Method: String, CaseIterable, Sendable {
        case build
        case check
        case outline
        case targets
        case describe = "subrequests.describe"
    }

    var method = Method.build
    /// Whether programs are to read the answer.
    var isJSON = false
    /// Whether the exit status is 0 whatever the checks find.
    var ignoresStatus = false

    init() {}

    /// Parses `METHOD[,format=json|text][,ignorestatus=BOOL]`, as docker does.
    ///
    /// Throws a `ValidationError`.
    init(parsing text: String) throws {
        var name: String?
        for field in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            switch (parts[0], parts.count) {
            case ("format", 2): isJSON = try Self.isJSON(parts[1])
            case ("ignorestatus", 2): ignoresStatus = try Self.flag(parts[1])
            case (_, 1) where name == nil: name = field
            default: throw ValidationError("invalid field '\(field)' in --call=\(text)")
            }
        }
        // BuildKit's own name for the check.
        guard let method = Method(rawValue: name == "lint" ? "check" : name ?? "build") else {
            throw ValidationError(
                "unknown method '\(name ?? "")' for --call: use build, check, outline, targets or subrequests.describe")
        }
        self.method = method
    }

    private static func isJSON(_ text: String) throws -> Bool {
        guard ["json", "text", ""].contains(text) else {
            throw ValidationError("unknown format '\(text)' for --call: use json or text")
        }
        return text == "json"
    }

    private static func flag(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "1", "t", "true": return true
        case "0", "f", "false": return false
        default: throw ValidationError("'\(text)' is not a value for ignorestatus: use true or false")
        }
    }
}

extension BuildCall {
    /// The answer in the words of the program, and the exit status it has.
    struct Answer: Sendable {
        let lines: [String]
        /// For the standard error.
        var errorLines: [String] = []
        var status: Int32 = 0
    }

    func answer(of build: Build) async throws -> Answer {
        switch method {
        case .build: preconditionFailure("a build is no question")
        case .check: return answer(try await build.check())
        case .outline:
            let outline = try await build.outline()
            return Answer(lines: isJSON ? Self.document(outline.json) : Self.harmless(outline.lines))
        case .targets:
            let targets = try await build.targets()
            return Answer(lines: isJSON ? Self.document(targets.json) : Self.harmless(targets.lines))
        case .describe:
            let calls = CallList()
            return Answer(lines: isJSON ? Self.document(calls.json) : calls.lines)
        }
    }

    private func answer(_ report: CheckReport) -> Answer {
        var lines = isJSON ? Self.document(report.json) : Self.harmless(report.lines)
        var errors = Self.harmless(report.errorLines)
        if !errors.isEmpty {
            if !isJSON, !report.warnings.isEmpty { lines.append("") }
            errors[0] = "ERROR: " + errors[0]
        }
        // docker ignores the status of warnings only: what cannot be built stays a failure.
        let status = ignoresStatus && report.error == nil ? 0 : report.status
        return Answer(lines: lines, errorLines: errors, status: status)
    }

    private static func document(_ json: JSON) -> [String] { [json.text(.pretty(2))] }

    private static func harmless(_ lines: [String]) -> [String] { lines.map(TerminalText.neutralised) }
}
