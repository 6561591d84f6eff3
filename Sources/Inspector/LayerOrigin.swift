/// The place in a Dockerfile that a layer comes from.
package struct LayerOrigin: Hashable, Sendable {
    package let lines: ClosedRange<Int>
    /// The text of these lines; empty when the Dockerfile was changed or is gone.
    package let text: String
    /// Whether the layer came with the image that a FROM names.
    package let isBase: Bool

    package init(lines: ClosedRange<Int>, text: String, isBase: Bool = false) {
        self.lines = lines
        self.text = text
        self.isBase = isBase
    }

    /// `7` or `7-9`.
    package var lineText: String {
        lines.count == 1 ? "\(lines.lowerBound)" : "\(lines.lowerBound)-\(lines.upperBound)"
    }
}
