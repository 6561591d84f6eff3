import Diagnostics
package import DockerfileSyntax
import Layers
package import Linux

/// A walk through a directory that is copied: what is selected and not excluded, with the directories on the way to it.
package struct CopyWalk {
    package struct Item {
        package let node: FileNode
        /// Relative to the directory that the walk is through.
        package let path: PathBytes
    }

    private let match: SourceMatch
    private let tree: any FileTree
    private let excludes: IgnoreRules

    /// `excludes` are relative to the directory of the match.
    package init(_ match: SourceMatch, in tree: any FileTree, excludes: IgnoreRules) {
        self.match = match
        self.excludes = excludes
        // Listing ahead pays where everything is looked at.
        let looksAtAll = excludes.isEmpty && match.selection?.pattern == nil
        self.tree = looksAtAll ? tree.forWalk() : tree
    }

    /// Calls `body` for each selected file and directory, directories before what they hold and names in byte order,
    /// with the directories above it that are not selected themselves and were not given before.
    ///
    /// Throws ``TreesError`` `.sourceNotFound` when a path without a wildcard selects nothing.
    package func visit(_ body: (Item, _ onTheWay: [Item]) throws -> Void) throws {
        var progress = Progress()
        let isIncluded = match.selection.map { $0.pattern == nil && $0.prefix.isEmpty } ?? true
        let top = Place(
            item: Item(node: match.node, path: ""), depth: 0, pattern: match.selection?.pattern?.root,
            exclusion: excludes.root, isIncluded: isIncluded)
        var open = [(place: top, rest: try contents(of: top))]
        while !open.isEmpty {
            guard let child = try open[open.count - 1].rest.popFirst() else {
                open.removeLast()
                progress.leave()
                continue
            }
            let place = place(of: child, in: open[open.count - 1].place)
            let isSelected = place.isIncluded && !excludes.ignores(place.exclusion)
            if isSelected { try body(place.item, progress.select()) }
            guard child.isDirectory, mayHold(place) else { continue }
            guard place.depth < PathBytes.depthLimit else { throw TreesError.tooDeep }
            progress.enter(place.item, isSelected: isSelected)
            open.append((place, try contents(of: place)))
        }
        if let word = match.requiredWord, progress.count == 0, !isIncluded { throw missing(word) }
    }

    private struct Progress {
        /// The directories from the top to where the walk is.
        var way: [Item] = []
        /// How many of them were given, as selected or as on the way.
        var given = 0
        var count = 0

        /// Counts a selected file, and says which directories come along with it.
        mutating func select() -> [Item] {
            defer { given = way.count }
            count += 1
            return Array(way[given...])
        }

        mutating func enter(_ directory: Item, isSelected: Bool) {
            way.append(directory)
            if isSelected { given = way.count }
        }

        mutating func leave() {
            _ = way.popLast()
            given = min(given, way.count)
        }
    }

    private struct Place {
        let item: Item
        let depth: Int
        let pattern: IgnoreRules.State?
        let exclusion: IgnoreRules.State
        let isIncluded: Bool
    }

    private func contents(of directory: Place) throws -> DirectoryContents {
        if let prefix = match.selection?.prefix, directory.depth < prefix.count {
            let node = try tree.node(at: directory.item.node.path.appending(prefix[directory.depth]))
            return DirectoryContents(node.map { [$0] } ?? [])
        }
        return try tree.contents(of: directory.item.node)
    }

    private func place(of child: FileNode, in directory: Place) -> Place {
        let path = directory.item.path.appending(child.path.lastComponent)
        let depth = directory.depth + 1
        var isIncluded = directory.isIncluded
        var state = directory.pattern
        if !isIncluded, let selection = match.selection {
            if let pattern = selection.pattern, let parent = state {
                let own = pattern.state(of: path.bytes, in: parent)
                isIncluded = pattern.ignores(own)
                state = own
            } else {
                isIncluded = depth == selection.prefix.count
            }
        }
        return Place(
            item: Item(node: child, path: path), depth: depth, pattern: state,
            exclusion: excludes.state(of: path.bytes, in: directory.exclusion), isIncluded: isIncluded)
    }

    private func mayHold(_ place: Place) -> Bool {
        if excludes.canSkipDirectory(place.item.path.bytes, place.exclusion) { return false }
        return place.isIncluded || match.selection?.mayHold(below: place.item.path, depth: place.depth) ?? true
    }

    private func missing(_ word: String) -> TreesError {
        var path = match.node.path
        for component in match.selection?.prefix ?? [] {
            path = path.appending(component)
            guard let node = try? tree.node(at: path), node.entry.kind == .symlink else { continue }
            return TreesError(
                .sourceNotFound, SourceMatcher.missingMessage(word),
                hint: "'/\(path)' is a symbolic link, which --parents does not follow: name the directory it leads to.")
        }
        return SourceMatcher.missing(word)
    }
}
