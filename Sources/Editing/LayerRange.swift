import Diagnostics

/// Layers of an image that lie on each other, as a user names them: `3`, `2-5`, or `3-` for all from the third on.
package struct LayerRange: Hashable, Sendable {
    /// Counted from 1.
    package let first: Int
    /// `nil` for the uppermost.
    package let last: Int?

    package init(parsing text: String) throws {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = Int(parts[0]), first > 0, text.utf8.count < 12 else { throw Self.malformed(text) }
        self.first = first
        guard parts.count == 2 else {
            last = first
            return
        }
        guard !parts[1].isEmpty else {
            last = nil
            return
        }
        guard let last = Int(parts[1]), last >= first else { throw Self.malformed(text) }
        self.last = last
    }

    private static func malformed(_ text: String) -> EditingError {
        EditingError(
            .badValue, "'\(text)' names no layers",
            hint: "Write a number, a range such as 2-5, or 3- for all from the third on; see 'lamina analyze'.")
    }

    /// The indexes in an image of `count` layers.
    package func indices(of count: Int) throws -> Range<Int> {
        let last = last ?? count
        guard first <= count, last <= count else {
            throw EditingError(
                .badLayers, "the image has no layer \(max(first, self.last ?? first)): it has \(count)",
                hint: "See 'lamina analyze' for its layers.")
        }
        return (first - 1)..<last
    }
}
