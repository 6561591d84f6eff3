import Diagnostics
import DockerfileSyntax
import Layers
package import Linux

/// A file or directory that a source word of COPY names.
package struct SourceMatch: Sendable {
    /// The file after links were followed. With `--parents` the directory before the pivot, or the root of the tree.
    package let node: FileNode
    /// The name it gets in a directory: the last component as written or matched, not that of a link's target.
    package let name: PathBytes
    /// Its path as the word reaches it, links not resolved.
    package let reached: PathBytes
    /// With `--parents` the paths below the directory that are copied; `nil` where all of it is.
    package var selection: PathSelection?
    /// The word, where something has to exist that it selects.
    var requiredWord: String?
}

/// Finds what the source words of COPY and ADD mean in a tree.
package struct SourceMatcher {
    package let tree: any FileTree
    package let keepsParents: Bool

    package init(tree: any FileTree, keepsParents: Bool) {
        self.tree = tree
        self.keepsParents = keepsParents
    }

    /// The files a word names, in the order of a walk. A wildcard may match nothing; a plain path that is missing is an
    /// error.
    package func matches(_ word: String) throws -> [SourceMatch] {
        guard keepsParents else { return try matches(Self.clean(word), word: word) }
        let (pivot, rest) = Self.splitAtPivot(word)
        let (base, components) = (Self.clean(pivot), Self.clean(rest))
        let selection = try PathSelection(components)
        let isRequired = selection.pattern == nil && !base.contains(where: PathSelection.isWildcard)
        return try matches(base, word: word).map { match in
            var match = match
            // As in BuildKit, a file before the pivot is copied itself if the rest need not exist.
            guard match.node.isDirectory else {
                if isRequired, !components.isEmpty { throw Self.missing(word) }
                return match
            }
            match.selection = selection
            match.requiredWord = isRequired ? word : nil
            return match
        }
    }

    /// The part of a word's key beside the word, where former versions took other files for it.
    ///
    /// A backslash in front of every wildcard stands for itself now. Files of one name in several directories, of which
    /// the last one stays, were matched in another order.
    package static func keyMark(of word: String) -> String? {
        let components = clean(word)
        let plain = components.prefix { !Glob.isPattern($0) }
        if plain.contains(where: { $0.contains("\\") }) { return "literal" }
        return components.dropLast().contains { Glob.isPattern($0) } ? "walk" : nil
    }

    private func matches(_ components: [String], word: String) throws -> [SourceMatch] {
        guard components.contains(where: PathSelection.isWildcard) else {
            return [try plainMatch(components, word: word)]
        }
        return try wildcardMatches(components)
    }

    /// `a/b/./c` keeps `c` alone; without the mark everything is kept.
    private static func splitAtPivot(_ word: String) -> (pivot: String, rest: String) {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let mark = parts.dropFirst().firstIndex(of: "."), mark < parts.count - 1 else { return ("", word) }
        return (parts[..<mark].joined(separator: "/"), parts[(mark + 1)...].joined(separator: "/"))
    }

    /// Components with `.` dropped and `..` applied, never above the root.
    private static func clean(_ path: String) -> [String] {
        var components: [String] = []
        for part in path.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": _ = components.popLast()
            default: components.append(String(part))
            }
        }
        return components
    }

    private func plainMatch(_ components: [String], word: String) throws -> SourceMatch {
        let path = PathBytes(components.joined(separator: "/"))
        guard let node = try tree.node(at: tree.resolve(path)) else {
            // All of a word without wildcards is asked for, and not what stands before its pivot.
            let isPlain = !Self.clean(word).contains(where: PathSelection.isWildcard)
            throw isPlain ? Self.missing(word) : Self.missing(path, word: word)
        }
        return SourceMatch(node: node, name: path.lastComponent, reached: path)
    }

    static func missing(_ word: String) -> TreesError {
        TreesError(.sourceNotFound, missingMessage(word), hint: missingHint(word))
    }

    /// The message of BuildKit for a path without a wildcard of `--parents`.
    static func missingMessage(_ word: String) -> String {
        "failed to calculate checksum of ref: \"/\(clean(word).joined(separator: "/"))\": not found"
    }

    private static func missing(_ path: PathBytes, word: String) -> TreesError {
        TreesError(
            .sourceNotFound, "failed to calculate checksum of ref: \"/\(path)\": not found", hint: missingHint(word))
    }

    private static func missingHint(_ word: String) -> String {
        "Check that '\(word)' exists there and is not excluded by an ignore file."
    }

    private func wildcardMatches(_ components: [String]) throws -> [SourceMatch] {
        let first = components.firstIndex { Glob.isPattern($0) } ?? 0
        let prefix = PathBytes(components[..<first].joined(separator: "/"))
        guard let root = try tree.node(at: tree.resolve(prefix)), root.isDirectory else { return [] }
        return try matches(below: root, components[first...]).map { node, path in
            // A match that is a link stands for what it leads to.
            let resolved = try tree.resolve(node.path)
            guard let target = try tree.node(at: resolved) else { throw Self.missing(resolved, word: path.text) }
            return SourceMatch(node: target, name: path.lastComponent, reached: prefix.appending(path))
        }
    }

    /// A walk that sorts the names of each directory, as BuildKit's: of files with one name the last one stays.
    private func matches(
        below directory: FileNode, _ pattern: ArraySlice<String>
    ) throws -> [(node: FileNode, path: PathBytes)] {
        let globs = try pattern.map { try Glob($0) }
        var found: [(node: FileNode, path: PathBytes)] = []
        var open = [(path: PathBytes(""), rest: try tree.contents(of: directory))]
        while !open.isEmpty {
            let depth = open.count
            guard let child = try open[depth - 1].rest.popFirst() else {
                open.removeLast()
                continue
            }
            let name = child.path.lastComponent
            guard globs[depth - 1].matches(name.bytes) else { continue }
            let path = open[depth - 1].path.appending(name)
            if depth == globs.count {
                found.append((child, path))
            } else if child.isDirectory {
                open.append((path, try tree.contents(of: child)))
            }
        }
        return found
    }
}
