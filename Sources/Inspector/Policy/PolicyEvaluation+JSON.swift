import Linux
package import OCI

extension PolicyEvaluation {
    /// The evaluation as a document for other programs:
    ///
    /// - `passes`: whether no rule is broken.
    /// - `rules`: `rule`, `status` (`pass`, `fail` or `skip`), `message`, and `findings`, each with `path` (absolute, or
    ///   null), `layer` (an index, or null) and `text`.
    package var json: JSON {
        .object(
            ("passes", .bool(passes)),
            (
                "rules",
                .array(
                    results.map { result in
                        .object(
                            ("rule", .string(result.rule)), ("status", .string(result.status.rawValue)),
                            ("message", .string(result.message)), ("findings", .array(result.findings.map(\.json))))
                    })
            ))
    }
}

extension PolicyEvaluation.Finding {
    fileprivate var json: JSON {
        .object(
            ("path", path.map { .string("/\($0.text)") } ?? .null), ("layer", layer.map { .integer($0) } ?? .null),
            ("text", .string(text)))
    }
}
