package import Linux

/// The files in a directory of a tree, one after another, in byte order of their names.
///
/// A directory may hold a great many files, so a tree on the disk looks at them in pieces, when they are asked for.
package struct DirectoryContents: Sendable {
    /// How many files are looked at together.
    private static let pieceSize = 1024

    private var ready: ArraySlice<FileNode>
    /// The rest, the next one last, so that the memory of what was looked at goes.
    private var names: [PathBytes]
    private var look: @Sendable (ReversedCollection<ArraySlice<PathBytes>>) throws -> [FileNode]

    /// Files that are all known.
    package init(_ files: [FileNode]) {
        ready = files[...]
        names = []
        look = { _ in [] }
    }

    /// Files of which the names are known; `look` gives those of some of the names, without the ones that are no part
    /// of the tree.
    package init(
        names: [PathBytes], look: @escaping @Sendable (ReversedCollection<ArraySlice<PathBytes>>) throws -> [FileNode]
    ) {
        ready = []
        self.names = names.reversed()
        self.look = look
    }

    /// How many files have been looked at and not been taken.
    package var readyCount: Int { ready.count }

    /// Looks at the first files, unless that was done.
    package mutating func prepare() throws {
        while ready.isEmpty, !names.isEmpty {
            let piece = try look(names.suffix(Self.pieceSize).reversed())
            names.removeLast(min(names.count, Self.pieceSize))
            ready = piece[...]
        }
    }

    /// Takes the next file; `nil` at the end.
    package mutating func popFirst() throws -> FileNode? {
        if ready.isEmpty { try prepare() }
        return ready.popFirst()
    }

    /// The files as `change` makes them of each piece.
    package func changed(by change: @escaping @Sendable ([FileNode]) -> [FileNode]) -> DirectoryContents {
        var contents = self
        contents.ready = change(Array(ready))[...]
        contents.look = { [look] names in change(try look(names)) }
        return contents
    }
}
