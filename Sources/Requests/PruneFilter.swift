import Diagnostics
package import OCI
package import Store

/// The filters of `--filter` for records to be removed.
///
/// Filters of different keys must all hold; of several with one key and `=`, one must.
package struct PruneFilter: Sendable {
    private enum Comparison: String, Sendable {
        case equal = "="
        case different = "!="
        case matching = "~="
    }

    private struct Condition: Sendable {
        let key: String
        let comparison: Comparison
        let value: String
    }

    private var conditions: [Condition] = []
    /// Only what was not used for so many seconds.
    private var unusedSeconds: Int64?

    private static let flags: Set<String> = ["shared", "private", "inuse", "mutable", "immutable"]
    private static let texts: Set<String> = ["id", "parents", "type", "description"]
    private static let ages: Set<String> = ["until", "unused-for"]

    /// Throws ``RequestsError`` `.badFilter` for one that does not exist.
    package init(_ filters: [String]) throws {
        for filter in filters { try add(filter) }
    }

    private mutating func add(_ text: String) throws {
        let key = String(text.prefix { !"=!~".contains($0) })
        let rest = text.dropFirst(key.count)
        let comparison: Comparison = rest.hasPrefix("!=") ? .different : rest.hasPrefix("~=") ? .matching : .equal
        let value = rest.hasPrefix("==") ? rest.dropFirst(2) : rest.dropFirst(comparison.rawValue.count)
        switch key {
        case _ where Self.ages.contains(key) && comparison == .equal:
            guard let seconds = Quantities.seconds(String(value)) else {
                throw Self.invalid("'\(value)' is no duration", hint: "Write it as 24h or 7d.")
            }
            unusedSeconds = max(unusedSeconds ?? 0, seconds)
        case _ where Self.flags.contains(key) && comparison != .matching:
            guard ["", "true", "1", "false", "0"].contains(value) else {
                throw Self.invalid("'\(value)' is neither true nor false")
            }
            conditions.append(Condition(key: key, comparison: comparison, value: String(value)))
        case _ where Self.texts.contains(key) && !value.isEmpty:
            if comparison == .matching, (try? Regex(String(value))) == nil {
                throw Self.invalid("'\(value)' is no regular expression")
            }
            conditions.append(Condition(key: key, comparison: comparison, value: String(value)))
        default:
            throw Self.invalid(
                "there is no filter '\(text)'",
                hint: """
                    Use until=AGE, unused-for=AGE, id=ID, parents=ID, type=TYPE, description~=TEXT, shared, private, \
                    inuse, mutable or immutable.
                    """)
        }
    }

    private static func invalid(_ message: String, hint: String? = nil) -> RequestsError {
        RequestsError(.badFilter, message, hint: hint)
    }

    /// The rule that the filters come to.
    package func rule(now: Timestamp) -> PruneRule {
        var rule = PruneRule()
        rule.unusedSince = unusedSeconds.map { Timestamp(seconds: now.seconds - $0, nanoseconds: now.nanoseconds) }
        rule.matches = matches
        return rule
    }

    @Sendable private func matches(_ record: UsageRecord) -> Bool {
        let groups = Dictionary(grouping: conditions, by: \.key)
        return groups.values.allSatisfy { group in
            let equal = group.filter { $0.comparison == .equal }
            return (equal.isEmpty || equal.contains { Self.holds($0, for: record) })
                && group.allSatisfy { $0.comparison == .equal || Self.holds($0, for: record) }
        }
    }

    private static func holds(_ condition: Condition, for record: UsageRecord) -> Bool {
        let isSame: Bool
        switch condition.key {
        case "shared": return (record.isShared == isTrue(condition)) == (condition.comparison == .equal)
        case "private": return (record.isShared != isTrue(condition)) == (condition.comparison == .equal)
        case "inuse": return (record.isInUse == isTrue(condition)) == (condition.comparison == .equal)
        case "mutable": return (record.isMutable == isTrue(condition)) == (condition.comparison == .equal)
        case "immutable": return (record.isMutable != isTrue(condition)) == (condition.comparison == .equal)
        case "id": isSame = matches(record.keys.isEmpty ? [record.id] : record.keys, condition)
        case "parents": isSame = matches(record.parents, condition)
        case "type": isSame = matches(record.type, condition)
        default: isSame = matches(record.description, condition)
        }
        return isSame == (condition.comparison != .different)
    }

    private static func isTrue(_ condition: Condition) -> Bool { !["false", "0"].contains(condition.value) }

    private static func matches(_ ids: [Digest], _ condition: Condition) -> Bool {
        ids.contains { matches($0.description, condition) || matches($0.hex, condition) }
    }

    /// Whether a text is what a condition names, whichever way the condition wants it.
    private static func matches(_ text: String, _ condition: Condition) -> Bool {
        if condition.comparison == .matching { return (try? Regex(condition.value)).map(text.contains) ?? false }
        return ["id", "parents"].contains(condition.key) ? text.hasPrefix(condition.value) : text == condition.value
    }
}
