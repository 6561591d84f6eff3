/// The label of a step, taken apart: `[build 2/5] RUN make`.
package struct StepTitle: Hashable, Sendable {
    /// The name of the stage; empty where there is only one, and for what belongs to no stage.
    package var stage = ""
    /// `2/5`; empty for a step without a number.
    package var number = ""
    /// The instruction.
    package var text: String

    package init(_ label: String) {
        text = label
        guard label.hasPrefix("["), let end = label.firstRange(of: "] ") else { return }
        let words = label[..<end.lowerBound].dropFirst().split(separator: " ")
        // The number lines up with the others of its stage, so there may be a space before it.
        guard let last = words.last, last.contains("/") else { return }
        number = String(last)
        stage = words.dropLast().joined(separator: " ")
        text = String(label[end.upperBound...])
    }

    /// `RUN`, `COPY` and so on.
    package var keyword: String { String(text.prefix { $0 != " " }) }
}
