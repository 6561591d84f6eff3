import Diagnostics
package import OCI

/// The answer to `--call=check`: what the checks found in a Dockerfile, and whether it can be built at all.
package struct CheckReport: Sendable {
    /// In the order in which they came up.
    package let warnings: [Warning]
    package let source: DockerfileSource
    /// Why the Dockerfile cannot be built, as far as that shows without building it.
    package let error: (any Error)?

    package init(warnings: [Warning], source: DockerfileSource, error: (any Error)?) {
        self.warnings = warnings
        self.source = source
        self.error = error
    }

    /// The exit status for the command line: 1 for a warning of BuildKit's rules or an error. Advice of our own does
    /// not count, so that what passes with docker passes here.
    package var status: Int32 { error != nil || warnings.contains { !$0.isAdvice } ? 1 : 0 }

    /// The error in one line for the file's author; `nil` if it can be built.
    package var errorMessage: String? {
        error.map { ($0 as? any AnyFailure)?.message ?? String(describing: $0) }
    }

    /// The range of the error in the Dockerfile; `nil` also for an error in the ignore file.
    private var errorLocation: Diagnostics.SourceRange? {
        guard let location = (error as? any AnyFailure)?.location, location.file == source.name else { return nil }
        return location
    }

    /// For people: the number of warnings, and each with its place, sorted by line.
    package var lines: [String] {
        guard !warnings.isEmpty else { return error == nil ? ["Check complete, no warnings found."] : [] }
        let count =
            warnings.count == 1 ? "1 warning has been found!" : "\(warnings.count) warnings have been found!"
        let text = source.lines
        var lines = ["Check complete, \(count)"]
        for (_, warning) in warnings.enumerated().sorted(by: Self.precedes) {
            lines.append("")
            lines.append("WARNING: \(warning.rule)" + ((warning.url ?? warning.page).map { " - \($0)" } ?? ""))
            lines.append(warning.message)
            lines += SourceExcerpt(warning.location, of: text).render()
        }
        return lines
    }

    private static func precedes(_ left: (Int, Warning), _ right: (Int, Warning)) -> Bool {
        (left.1.location.lines.lowerBound, left.0) < (right.1.location.lines.lowerBound, right.0)
    }

    /// For people: the error and its place; none if there is no error.
    package var errorLines: [String] {
        guard let errorMessage else { return [] }
        let excerpt = errorLocation.map { SourceExcerpt($0, of: source.lines).render() } ?? []
        return [errorMessage] + excerpt
    }

    /// For programs, in BuildKit's form.
    package var json: JSON {
        .object(
            ("warnings", .array(warnings.map(Self.json))),
            (
                "sources",
                .array([
                    .object(
                        ("filename", .string(source.name)), ("data", .string(source.base64)),
                        ("language", .string("Dockerfile")))
                ])
            ),
            (
                "buildError",
                errorMessage.map {
                    .object(("message", .string($0)), ("location", .location(errorLocation?.lines)))
                }
            ))
    }

    private static func json(_ warning: Warning) -> JSON {
        let more = warning.page.map { " (see \($0))" } ?? ""
        return .object(
            ("ruleName", .string(warning.rule)), ("description", .string(warning.detail + more)),
            ("url", warning.url.map { .string($0) }), ("detail", .string(warning.message)),
            ("location", .location(warning.location.lines)))
    }
}
