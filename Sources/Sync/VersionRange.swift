import Diagnostics

/// A range of versions, such as `>= 1.2, < 3`, `~1.4`, `^2.1`, `1.2 - 1.4` or `1.x || 3.x`.
///
/// The forms and their meaning are those of the library that skopeo uses for `images-by-semver`
/// (github.com/Masterminds/semver, version 3). A pre-release is in a range only if the range names one.
package struct VersionRange: Hashable, Sendable {
    fileprivate enum Comparison: String, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case above = ">"
        case below = "<"
        case atLeast = ">="
        case atLeastReversed = "=>"
        case atMost = "<="
        case atMostReversed = "=<"
        case tilde = "~"
        case tildeAbove = "~>"
        case caret = "^"
    }

    fileprivate struct Condition: Hashable {
        let comparison: Comparison
        let version: SemanticVersion
        /// Whether the number is left open, by a wildcard or by being left out.
        var isMinorOpen = false
        var isPatchOpen = false
        /// Whether all versions are meant, as by `*`.
        var isAny = false
    }

    /// Alternatives, each of conditions that hold together.
    private let alternatives: [[Condition]]

    /// Throws ``SyncError`` `.badVersions`.
    package init(parsing text: String) throws {
        func malformed() -> SyncError {
            SyncError(
                .badVersions, "'\(text.printable(limit: 100))' is no range of versions",
                hint: "Write it as '>= 1.2, < 2', '~1.4', '^2.1', '1.2 - 1.4' or '1.x || 3.x'.")
        }
        var alternatives: [[Condition]] = []
        for part in text.split(separator: "||", omittingEmptySubsequences: false) {
            guard let conditions = Self.conditions(part) else { throw malformed() }
            alternatives.append(conditions)
        }
        self.alternatives = alternatives
    }

    /// The conditions of one alternative; `nil` if it cannot be read.
    private static func conditions(_ text: Substring) -> [Condition]? {
        var words = text.split { $0 == " " || $0 == "," || $0 == "\t" }[...]
        var conditions: [Condition] = []
        while let word = words.popFirst() {
            if words.first == "-" {
                words.removeFirst()
                guard let end = words.popFirst(), let low = condition(.atLeast, word),
                    let high = condition(.atMost, end)
                else { return nil }
                conditions += [low, high]
                continue
            }
            let sign = word.prefix { "=!<>~^".contains($0) }
            guard let comparison = sign.isEmpty ? .equal : Comparison(rawValue: String(sign)) else { return nil }
            var version = word.dropFirst(sign.count)
            if version.isEmpty, !sign.isEmpty { version = words.popFirst() ?? "" }
            guard let condition = condition(comparison, version) else { return nil }
            conditions.append(condition)
        }
        return conditions.isEmpty ? nil : conditions
    }

    private static func condition(_ comparison: Comparison, _ text: Substring) -> Condition? {
        let open: Set<Substring> = ["x", "X", "*"]
        var head = text.first == "v" ? text.dropFirst() : text
        let tail = head.firstIndex { $0 == "-" || $0 == "+" }.map { head[$0...] } ?? ""
        head = head.prefix { $0 != "-" && $0 != "+" }
        let parts = head.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 3 else { return nil }
        guard parts.allSatisfy({ open.contains($0) || SemanticVersion.number($0) != nil }) else { return nil }
        func isOpen(_ place: Int) -> Bool { parts.count <= place || open.contains(parts[place]) }
        let isAny = open.contains(first)
        let isMinorOpen = isAny || isOpen(1)
        let isPatchOpen = isMinorOpen || isOpen(2)
        let numbers = [isAny ? "0" : first, isMinorOpen ? "0" : parts[1], isPatchOpen ? "0" : parts[2]]
        guard let version = SemanticVersion(numbers.joined(separator: ".") + tail) else { return nil }
        return Condition(
            comparison: comparison, version: version, isMinorOpen: isMinorOpen, isPatchOpen: isPatchOpen,
            isAny: isAny)
    }

    package func contains(_ version: SemanticVersion) -> Bool {
        alternatives.contains { $0.allSatisfy { $0.holds(for: version) } }
    }
}

extension VersionRange.Condition {
    fileprivate func holds(for found: SemanticVersion) -> Bool {
        guard found.prerelease.isEmpty || !version.prerelease.isEmpty else { return false }
        switch comparison {
        case .notEqual: return differs(found)
        case .equal: return isPatchOpen ? isWithinTilde(found) : found == version
        case .above: return isAbove(found)
        case .below: return found < version
        case .atLeast, .atLeastReversed: return found >= version
        case .atMost, .atMostReversed: return isAtMost(found)
        case .tilde, .tildeAbove: return isWithinTilde(found)
        case .caret: return isWithinCaret(found)
        }
    }

    private func differs(_ found: SemanticVersion) -> Bool {
        guard isPatchOpen else { return found != version }
        if isAny { return false }
        if found.major != version.major { return true }
        return !isMinorOpen && found.minor != version.minor
    }

    /// `>1.2` does not mean `1.2.3`.
    private func isAbove(_ found: SemanticVersion) -> Bool {
        guard isPatchOpen else { return found > version }
        if found.major != version.major { return found.major > version.major }
        return !isMinorOpen && found.minor > version.minor
    }

    /// `<=1.2` means `1.2.3` as well.
    private func isAtMost(_ found: SemanticVersion) -> Bool {
        guard isPatchOpen else { return found <= version }
        if isAny { return true }
        if found.major != version.major { return found.major < version.major }
        return isMinorOpen || found.minor <= version.minor
    }

    private func isWithinTilde(_ found: SemanticVersion) -> Bool {
        if isAny { return true }
        guard found >= version, found.major == version.major else { return false }
        return isMinorOpen || found.minor == version.minor
    }

    /// The first number that is not zero stays as it is.
    private func isWithinCaret(_ found: SemanticVersion) -> Bool {
        if isAny { return true }
        guard found >= version, found.major == version.major else { return false }
        if version.major > 0 || isMinorOpen { return true }
        guard found.minor == version.minor else { return false }
        return version.minor > 0 || isPatchOpen || found.patch == version.patch
    }
}
