import Diagnostics
import OCI
import Solver

extension StepFailure {
    /// The failure as records and logs keep it.
    var json: JSON {
        .object(
            ("code", code.map { .string($0) }), ("message", .string(message)), ("hint", hint.map { .string($0) }),
            ("file", location.map { .string($0.file) }),
            ("lines", location.map { .array([.integer($0.lines.lowerBound), .integer($0.lines.upperBound)]) }))
    }

    /// Reads what ``json`` gives; `nil` for anything else.
    init?(_ json: JSON) {
        guard let message = json["message"]?.string else { return nil }
        var location: SourceRange?
        if let file = json["file"]?.string, let lines = json["lines"]?.array?.compactMap(\.integer), lines.count == 2,
            let first = Int(exactly: lines[0]), let last = Int(exactly: lines[1]), first <= last
        {
            location = SourceRange(file: file, lines: first...last)
        }
        self.init(message, code: json["code"]?.string, hint: json["hint"]?.string, at: location)
    }
}
