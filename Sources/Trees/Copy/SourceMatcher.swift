import Diagnostics
import DockerfileSyntax
import Layers
package import Linux

/// A file or directory that a source word of COPY names.
package struct SourceMatch: Sendable {
    /// The file after links were followed.
    package let node: FileNode
    /// The name it gets in a directory: the last component as written or matched, not that of a link's target.
    package let name: PathBytes
    /// With `--parents`: the directories to be kept, and the path below them.
    package let keptPath: PathBytes?
    /// The directory of the tree that the kept path starts from.
    package let pivot: PathBytes
}

/// Finds what the source words of COPY and ADD mean in a tree.
package struct SourceMatcher {
    package let tree: any FileTree
    package let keepsParents: Bool

    package init(tree: any FileTree, keepsParents: Bool) {
        self.tree = tree
        self.keepsParents = keepsParents
    }

    /// The files a word names, in byte order. A wildcard may match nothing; a plain path that is missing is an error.
    package func matches(_ word: String) throws -> [SourceMatch] {
        let (pivot, rest) = keepsParents ? Self.splitAtPivot(word) : ("", word)
        let components = Self.clean(rest)
        let start = try tree.resolve(PathBytes(Self.clean(pivot).joined(separator: "/")))
        guard components.contains(where: { Glob.hasMeta($0) }) else {
            return [try plainMatch(components, word: word, pivot: start)]
        }
        return try wildcardMatches(components, pivot: start)
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

    private func plainMatch(_ components: [String], word: String, pivot: PathBytes) throws -> SourceMatch {
        let path = PathBytes(components.joined(separator: "/"))
        let full = pivot.isEmpty ? path : (path.isEmpty ? pivot : pivot.appending(path))
        guard let node = try tree.node(at: tree.resolve(full)) else {
            throw Self.missing(full, word: word)
        }
        return SourceMatch(
            node: node, name: path.lastComponent, keptPath: keepsParents ? path : nil, pivot: pivot)
    }

    private static func missing(_ path: PathBytes, word: String) -> TreesError {
        TreesError(
            .sourceNotFound, "failed to calculate checksum of ref: \"/\(path)\": not found",
            hint: "Check that '\(word)' exists there and is not excluded by an ignore file.")
    }

    private func wildcardMatches(_ components: [String], pivot: PathBytes) throws -> [SourceMatch] {
        let first = components.firstIndex { Glob.hasMeta($0) || $0 == "**" } ?? 0
        let prefix = PathBytes(components[..<first].joined(separator: "/"))
        let base = try tree.resolve(prefix.isEmpty ? pivot : pivot.appending(prefix))
        guard let root = try tree.node(at: base), root.isDirectory else { return [] }
        var found: [(node: FileNode, path: PathBytes)] = []
        try descend(from: root, at: "", components[first...], into: &found)
        return try found.sorted { $0.path < $1.path }.map { node, path in
            // A match that is a link stands for what it leads to.
            let resolved = try tree.resolve(node.path)
            guard let target = try tree.node(at: resolved) else { throw Self.missing(resolved, word: path.text) }
            return SourceMatch(
                node: keepsParents ? node : target, name: path.lastComponent,
                keptPath: keepsParents ? prefix.appending(path) : nil, pivot: pivot)
        }
    }

    private func descend(
        from directory: FileNode, at path: PathBytes, _ pattern: ArraySlice<String>,
        into found: inout [(node: FileNode, path: PathBytes)]
    ) throws {
        guard let component = pattern.first else { return }
        let rest = pattern.dropFirst()
        let isDeep = keepsParents && component == "**"
        if isDeep, !rest.isEmpty { try descend(from: directory, at: path, rest, into: &found) }
        let glob = try Glob(component)
        for child in try tree.children(of: directory) {
            let name = child.path.lastComponent
            guard isDeep || glob.matches(name.bytes) else { continue }
            let childPath = path.appending(name)
            if rest.isEmpty {
                found.append((child, childPath))
            } else if child.isDirectory {
                try descend(from: child, at: childPath, isDeep ? pattern : rest, into: &found)
            }
        }
    }
}
