import Inspector
package import OCI

extension RepeatabilityReport {
    /// The report for other programs. Keys are never left out.
    package var json: JSON {
        .object(
            ("differences", .array(groups.map(\.json)))
        )
    }
}

extension RepeatabilityReport.Group {
    fileprivate var json: JSON {
        .object(
            ("cause", .string(explanation.cause.rawValue)), ("hint", .string(explanation.hint)),
            ("layer", layer.map { .integer($0) } ?? .null), ("lines", origin.map { .string($0.lineText) } ?? .null),
            ("step", .string(step)), ("names", .array(names.map { .string($0) })))
    }
}
