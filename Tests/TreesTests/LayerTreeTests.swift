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

    private static func tree(_ layers: [[LayerEntry]]) -> LayerTree {
        layers.enumerated().reduce(LayerTree()) { tree, layer in
            tree.adding(DiffID(Digest(of: "\(layer.offset)")), FileList(layer.element, tarSize: 0))
        }
    }

    private static func paths(_ tree: LayerTree, below path: PathBytes = "") -> [String] {
        tree.children(of: path).flatMap { node in
            [node.path.text] + (node.isDirectory ? paths(tree, below: node.path) : [])
        }
    }

    @Test func marksRemoveWhatIsBelow() {
        let base = [Self.directory("a"), Self.file("a/x"), Self.file("a/y"), Self.directory("b"), Self.file("b/z")]
        #expect(
            Self.paths(Self.tree([base, [LayerEntry(path: "a/x", kind: .whiteout)]])) == ["a", "a/y", "b", "b/z"])
        #expect(
            Self.paths(
                Self.tree([base, [Self.directory("a"), LayerEntry(path: "a", kind: .opaque), Self.file("a/new")]]))
                == ["a", "a/new", "b", "b/z"])
        let replaced = [LayerEntry(path: "a", kind: .whiteout), Self.directory("a"), Self.file("a/new")]
        #expect(Self.paths(Self.tree([base, replaced])) == ["a", "a/new", "b", "b/z"])
    }

    @Test func filesAndDirectoriesReplaceEachOther() {
        let base = [Self.directory("a"), Self.file("a/x"), Self.file("f")]
        #expect(Self.paths(Self.tree([base, [Self.file("a")]])) == ["a", "f"])
        #expect(Self.paths(Self.tree([base, [Self.directory("f"), Self.file("f/x")]])) == ["a", "a/x", "f", "f/x"])
    }

    @Test func aDirectoryKeepsItsFilesAndTakesItsMetadata() {
        let tree = Self.tree([[Self.directory("a"), Self.file("a/x")], [Self.directory("a", 0o700)]])
        #expect(tree.node(at: "a")?.entry.permissions == 0o700)
        #expect(Self.paths(tree) == ["a", "a/x"])
        // Of a directory that a layer only passes through it says nothing.
        let implicit = Self.tree([[Self.directory("a", 0o711)], [Self.file("a/x")]])
        #expect(implicit.node(at: "a")?.entry.permissions == 0o711)
    }

    @Test func hardLinksAreTheFileTheyName() throws {
        let link = LayerEntry(path: "b", kind: .hardLink, linkTarget: "a")
        let same = Self.tree([[Self.file("a", 7), link]])
        #expect(same.node(at: "b")?.entry.size == 7)
        #expect(same.node(at: "b")?.linkIdentity == same.node(at: "a")?.linkIdentity)
        let lower = Self.tree([[Self.file("a", 7)], [link]])
        guard case .layer(let index, let path)? = lower.node(at: "b")?.origin else {
            Issue.record("the link has no content")
            return
        }
        #expect(index == 0 && path == "a")
    }

    @Test func parentsThatAreLinksAreFollowed() {
        let base = [
            Self.directory("usr"), Self.directory("usr/lib"),
            LayerEntry(path: "lib", kind: .symlink, linkTarget: "usr/lib"),
        ]
        let tree = Self.tree([base, [Self.file("lib/x")]])
        #expect(Self.paths(tree) == ["lib", "usr", "usr/lib", "usr/lib/x"])
        #expect(tree.node(at: "lib")?.entry.kind == .symlink)
    }

    @Test func linksResolveWithinTheRoot() throws {
        let base = [
            Self.directory("d"), Self.file("d/f"), LayerEntry(path: "d/up", kind: .symlink, linkTarget: "../../../d"),
            LayerEntry(path: "abs", kind: .symlink, linkTarget: "/d/up/f"),
        ]
        let tree = LayerFileTree(tree: Self.tree([base]), directories: [])
        #expect(try tree.resolve("abs") == "d/f")
        #expect(try tree.resolve("d/up/up/missing/x") == "d/missing/x")
    }
}
