package import Inspector

/// The kind of step that made a layer, as far as advice depends on it.
package enum LayerStep: Hashable, Sendable {
    /// The image that a FROM names.
    case base
    /// COPY or ADD.
    case copy
    /// RUN, or a step that the image does not tell.
    case run

    /// The step by the recorded build, else by the command in the image's history.
    package init(_ layer: AnalyzedLayer, _ origin: LayerOrigin?) {
        if let origin, origin.isBase {
            self = .base
            return
        }
        // The classic builder writes `/bin/sh -c #(nop) COPY file:… in /x`.
        let command = layer.command ?? ""
        let instruction = command.firstRange(of: "#(nop) ").map { command[$0.upperBound...] } ?? command[...]
        let word = instruction.drop { $0 == " " }.prefix { $0 != " " }
        self = ["COPY", "ADD"].contains(word.uppercased()) ? .copy : .run
    }
}
