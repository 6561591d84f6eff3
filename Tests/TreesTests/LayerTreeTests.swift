import Layers
import Linux
import OCI
import Testing

@testable import Trees

@Suite struct LayerTreeTests {
    private static func directory(_ path: PathBytes, _ permissions: UInt32 = 0o755) -> LayerEntry {
        LayerEntry(path: path, kind: .directory, permissions: permissions)
    }

    private static func file(_ path: PathBytes, _ size: Int64 = 1) -> LayerEntry {
        LayerEntry(path: path, kind: .regular, permissions: 0o644, size: size)
    }

    private static func tree(_ layers: [[LayerEntry]]) throws -> LayerTree {
        try layers.enumerated().reduce(LayerTree()) { tree, layer in
            try tree.adding(DiffID(Digest(of: "\(layer.offset)")), FileList(layer.element, tarSize: 0))
        }
    }

    private static func paths(_ tree: LayerTree, below path: PathBytes = "") -> [String] {
        tree.children(of: path).flatMap { node in
            [node.path.text] + (node.isDirectory ? paths(tree, below: node.path) : [])
        }
    }

    @Test func marksRemoveWhatIsBelow() throws {
        let base = [Self.directory("a"), Self.file("a/x"), Self.file("a/y"), Self.directory("b"), Self.file("b/z")]
        #expect(
            Self.paths(try Self.tree([base, [LayerEntry(path: "a/x", kind: .whiteout)]])) == ["a", "a/y", "b", "b/z"])
        #expect(
            Self.paths(
                try Self.tree([base, [Self.directory("a"), LayerEntry(path: "a", kind: .opaque), Self.file("a/new")]]))
                == ["a", "a/new", "b", "b/z"])
        let replaced = [LayerEntry(path: "a", kind: .whiteout), Self.directory("a"), Self.file("a/new")]
        #expect(Self.paths(try Self.tree([base, replaced])) == ["a", "a/new", "b", "b/z"])
    }

    @Test func filesAndDirectoriesReplaceEachOther() throws {
        let base = [Self.directory("a"), Self.file("a/x"), Self.file("f")]
        #expect(Self.paths(try Self.tree([base, [Self.file("a")]])) == ["a", "f"])
        #expect(
            Self.paths(try Self.tree([base, [Self.directory("f"), Self.file("f/x")]])) == ["a", "a/x", "f", "f/x"])
    }

    @Test func aDirectoryKeepsItsFilesAndTakesItsMetadata() throws {
        let tree = try Self.tree([[Self.directory("a"), Self.file("a/x")], [Self.directory("a", 0o700)]])
        #expect(tree.node(at: "a")?.entry.permissions == 0o700)
        #expect(Self.paths(tree) == ["a", "a/x"])
        // Of a directory that a layer only passes through it says nothing.
        let implicit = try Self.tree([[Self.directory("a", 0o711)], [Self.file("a/x")]])
        #expect(implicit.node(at: "a")?.entry.permissions == 0o711)
    }

    @Test func hardLinksAreTheFileTheyName() throws {
        let link = LayerEntry(path: "b", kind: .hardLink, linkTarget: "a")
        let same = try Self.tree([[Self.file("a", 7), link]])
        #expect(same.node(at: "b")?.entry.size == 7)
        #expect(same.node(at: "b")?.linkIdentity == same.node(at: "a")?.linkIdentity)
        let lower = try Self.tree([[Self.file("a", 7)], [link]])
        guard case .layer(let index, let path)? = lower.node(at: "b")?.origin else {
            Issue.record("the link has no content")
            return
        }
        #expect(index == 0 && path == "a")
    }

    /// An overlay shows what the upper layer has below the name, and nothing of what the link led to.
    @Test func `an entry below a link of a lower layer is in a directory of its own`() throws {
        let base = [
            Self.directory("usr"), Self.directory("usr/lib"), Self.file("usr/lib/y"),
            LayerEntry(path: "lib", kind: .symlink, linkTarget: "usr/lib"),
        ]
        let tree = try Self.tree([base, [Self.file("lib/x")]])
        #expect(Self.paths(tree) == ["lib", "lib/x", "usr", "usr/lib", "usr/lib/y"])
        #expect(tree.node(at: "lib")?.entry == Self.directory("lib"))
        let marked = try Self.tree([base, [LayerEntry(path: "lib/y", kind: .whiteout)]])
        #expect(Self.paths(marked) == ["lib", "usr", "usr/lib", "usr/lib/y"])
        #expect(marked.node(at: "lib")?.entry.kind == .directory)
    }

    @Test func `a hard link to nothing is refused`() throws {
        let link = LayerEntry(path: "b", kind: .hardLink, linkTarget: "a")
        #expect(throws: TreesError.self) { try Self.tree([[link]]) }
        #expect(throws: TreesError.self) { try Self.tree([[Self.directory("a")], [link]]) }
    }

    @Test func linksResolveWithinTheRoot() throws {
        let base = [
            Self.directory("d"), Self.file("d/f"), LayerEntry(path: "d/up", kind: .symlink, linkTarget: "../../../d"),
            LayerEntry(path: "abs", kind: .symlink, linkTarget: "/d/up/f"),
        ]
        let tree = LayerFileTree(tree: try Self.tree([base]), directories: [])
        #expect(try tree.resolve("abs") == "d/f")
        #expect(try tree.resolve("d/up/up/missing/x") == "d/missing/x")
    }
}
