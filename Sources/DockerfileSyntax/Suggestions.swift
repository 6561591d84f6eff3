/// Guesses what a misspelt word was meant to be.
public enum Suggestions {
    /// More edits than this make another word.
    private static let mostEdits = 2

    /// The candidate that takes the fewest edits, at most two, to become `word`; the first of equals.
    ///
    /// There is none if `word` is itself a candidate. Unless `matchingCase`, letters are compared without their case, and
    /// the answer is in upper or lower case if `word` is.
    public static func closest(
        to word: String, among candidates: [String], matchingCase: Bool = false
    ) -> String? {
        let target = Array((matchingCase ? word : word.lowercased()).unicodeScalars)
        var best: (candidate: String, edits: Int)?
        for candidate in candidates {
            if isTooDifferent(candidate.utf8, target.count) { continue }
            let scalars = Array((matchingCase ? candidate : candidate.lowercased()).unicodeScalars)
            if abs(scalars.count - target.count) > mostEdits { continue }
            let edits = edits(from: target, to: scalars)
            if edits == 0 { return nil }
            if edits <= mostEdits && edits < best?.edits ?? .max { best = (candidate, edits) }
        }
        guard let best, !matchingCase else { return best?.candidate }
        if word == word.lowercased() { return best.candidate.lowercased() }
        return word == word.uppercased() ? best.candidate.uppercased() : best.candidate
    }

    /// ` (did you mean X?)` to put behind a message, or nothing.
    static func hint(for word: String, among candidates: [String], matchingCase: Bool = false) -> String {
        closest(to: word, among: candidates, matchingCase: matchingCase).map { " (did you mean \($0)?)" } ?? ""
    }

    /// Whether the lengths alone say that it takes too many edits. This spares most names the work in a long list.
    private static func isTooDifferent(_ candidate: String.UTF8View, _ targetLength: Int) -> Bool {
        // A scalar has at least one byte, and at most four.
        candidate.count < targetLength - mostEdits
            || (candidate.count > targetLength + mostEdits
                && (candidate.count > 4 * (targetLength + mostEdits) || candidate.allSatisfy { $0 < 0x80 }))
    }

    /// The Levenshtein distance.
    private static func edits(from source: [Unicode.Scalar], to target: [Unicode.Scalar]) -> Int {
        var row = Array(0...target.count)
        for (sourceIndex, scalar) in source.enumerated() {
            var diagonal = row[0]
            row[0] = sourceIndex + 1
            for (index, other) in target.enumerated() {
                let replaced = diagonal + (scalar == other ? 0 : 1)
                diagonal = row[index + 1]
                row[index + 1] = min(replaced, row[index] + 1, diagonal + 1)
            }
        }
        return row[target.count]
    }
}
