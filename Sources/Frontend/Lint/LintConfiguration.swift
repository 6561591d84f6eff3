import Diagnostics
import DockerfileSyntax

/// Which checks run: the value of `# check=` or of the build argument `BUILDKIT_DOCKERFILE_CHECK`.
struct LintConfiguration: Hashable, Sendable {
    /// Some rules by name, or all of them.
    enum Selection: Hashable, Sendable {
        case all
        case names(Set<String>)

        func contains(_ name: String) -> Bool {
            switch self {
            case .all: true
            case .names(let names): names.contains(name)
            }
        }

        func union(_ other: Selection) -> Selection {
            guard case .names(let mine) = self, case .names(let theirs) = other else { return .all }
            return .names(mine.union(theirs))
        }
    }

    var skipped = Selection.names([])
    var experimental = Selection.names([])
    /// Whether any warning fails the build.
    var isError = false

    init() {}

    /// Parses `skip=A,B;experimental=all;error=true`; every part may be left out.
    init(parsing text: String) throws {
        let parts = text.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false)
        for part in parts where !part.allSatisfy(\.isWhitespace) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { String($0.trimmed) }
            switch (pair[0], pair.count) {
            case ("skip", 2): skipped = Self.selection(pair[1])
            case ("experimental", 2): experimental = Self.selection(pair[1])
            case ("error", 2): isError = try Self.flag(pair[1])
            default: throw FrontendError(.invalid, "invalid check option \"\(part.trimmed)\"")
            }
        }
    }

    /// The settings of the first comment `check=...` directly above an instruction, for that instruction alone.
    ///
    /// The word is in any case, and a blank ends the value, so that a reason can stand behind it. Anything else behind
    /// `check=` is an ordinary comment.
    init?(comments: [String]) {
        for comment in comments {
            let pair = comment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0].trimmed.lowercased() == "check", !pair[1].trimmed.isEmpty else { continue }
            guard let found = try? LintConfiguration(parsing: String(pair[1].trimmed.prefix { $0 != " " })) else {
                return nil
            }
            self = found
            return
        }
        return nil
    }

    /// Both; whether warnings are errors is the file's business, not an instruction's.
    func merged(with other: LintConfiguration) -> LintConfiguration {
        var result = self
        result.skipped = skipped.union(other.skipped)
        result.experimental = experimental.union(other.experimental)
        return result
    }

    /// Skip lists do not touch experimental rules: those run only because they were asked for.
    func allows(_ rule: LintRule) -> Bool {
        rule.isExperimental ? experimental.contains(rule.name) : !skipped.contains(rule.name)
    }

    private static func selection(_ text: String) -> Selection {
        text == "all" ? .all : .names(Set(text.split(separator: ",").map { String($0.trimmed) }))
    }

    private static func flag(_ text: String) throws -> Bool {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw FrontendError(.invalid, "failed to parse check option \"error=\(text)\"")
        }
    }
}
