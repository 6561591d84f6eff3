import DockerfileSyntax
import Linux

/// The paths below a directory that a word of `COPY --parents` selects; with a directory everything below it.
///
/// BuildKit matches the word as a pattern of an ignore file, and follows no link on the way.
package struct PathSelection: Sendable {
    /// The components before the first one with a wildcard: they are looked up, and nothing beside them is looked at.
    let prefix: [PathBytes]
    /// `nil` where there is no wildcard: the file at ``prefix`` is selected, and has to exist.
    let pattern: IgnoreRules?
    /// Patterns of the first components: a directory that does not match the one of its depth has nothing selected
    /// below it.
    private let globs: [Glob]
    /// The number of components of what is selected; `nil` where it may be any.
    private let depth: Int?

    /// `components` are those behind the pivot, dots resolved.
    init(_ components: [String]) throws {
        guard components.contains(where: Self.isWildcard) else {
            prefix = components.map { PathBytes($0) }
            (pattern, globs, depth) = (nil, [], nil)
            return
        }
        // In a pattern a backslash escapes, also in front of the first wildcard.
        prefix = components.prefix { !Self.isWildcard($0) && !$0.utf8.contains(UInt8(ascii: "\\")) }
            .map { PathBytes($0) }
        pattern = try IgnoreRules(patterns: [components.joined(separator: "/")])
        // A set in brackets may match a slash, and `**` any number of them.
        let plain = components.prefix { !$0.contains("**") && !$0.contains("[") }
        globs = try plain.map { try Glob($0) }
        depth = plain.count == components.count ? plain.count : nil
    }

    static func isWildcard(_ component: String) -> Bool { Glob.isPattern(component) }

    /// Whether something below a directory that is not selected itself may be; `depth` is the number of its components.
    func mayHold(below directory: PathBytes, depth: Int) -> Bool {
        if depth < prefix.count { return true }
        guard pattern != nil else { return false }
        if let limit = self.depth, depth >= limit { return false }
        return !globs.indices.contains(depth - 1) || globs[depth - 1].matches(directory.lastComponent.bytes)
    }
}
