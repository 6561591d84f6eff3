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

    /// Neither the stack nor the time depends on how deep a tree is.
    @Test func `the deepest tree of a layer is put together, drafted and walked`() throws {
        var path: PathBytes = ""
        let entries = (0..<PathBytes.depthLimit).map { depth -> LayerEntry in
            path = path.appending("d")
            return depth == PathBytes.depthLimit - 1 ? Self.file(path) : Self.directory(path)
        }
        let tree = try Self.tree([entries, entries])
        #expect(tree.node(at: path)?.entry.kind == .regular)
        var count = 0
        let top = try #require(tree.node(at: ""))
        try LayerFileTree(tree: tree, directories: []).walk(below: top) { _ in
            count += 1
            return true
        }
        #expect(count == PathBytes.depthLimit)
        var draft = LayerDraft(on: tree)
        let parents = NewDirectory(modified: FileTime(seconds: 0))
        try draft.put(LayerDraft.File(entry: Self.file(path), content: .none), at: path, parents: parents)
        #expect(draft.count == PathBytes.depthLimit)
        let long = PathBytes(Array(repeating: "x", count: 30_000).joined(separator: "/"))
        let error = #expect(throws: TreesError.self) { try draft.makeDirectory(long, parents) }
        #expect(error.map { "\($0)" }?.contains("more than 2048 directories") == true)
    }

    /// Random layers put on each other one by one are what the rules of layers say, told in the plainest way.
    @Test(arguments: 0..<30) func `random layers add up as the rules of layers say`(_ seed: Int) throws {
        var state = UInt64(seed) &* 2_862_933_555_777_941_757 &+ 3_037_000_493
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let names: [PathBytes] = ["a", "b", "c"]
        var expected: [PathBytes: LayerEntry.Kind] = [:]
        var tree = LayerTree()
        for number in 0..<8 {
            var layer: [PathBytes: LayerEntry] = [:]
            var marks: [LayerEntry] = []
            for _ in 0..<random(12) {
                let path = (0...random(3)).reduce(PathBytes("")) { path, _ in path.appending(names[random(3)]) }
                switch random(5) {
                case 0: marks.append(LayerEntry(path: path, kind: .whiteout))
                case 1: marks.append(LayerEntry(path: path, kind: .opaque))
                case 2: layer[path] = Self.directory(path)
                default: layer[path] = Self.file(path)
                }
            }
            // A layer that was unpacked has nothing below its own files.
            for path in layer.keys where layer[path]?.kind != .directory {
                layer = layer.filter { $0.key == path || !$0.key.isWithin(path) }
            }
            marks.removeAll { mark in layer.contains { $0.value.kind != .directory && mark.path.isWithin($0.key) } }
            for mark in marks {
                expected = expected.filter {
                    !$0.key.isWithin(mark.path) || mark.kind == .opaque && $0.key == mark.path
                }
            }
            for mark in marks {
                if mark.kind == .opaque { expected[mark.path] = .directory }
                Self.imply(mark.path, in: &expected)
            }
            for entry in layer.values.sorted(by: { $0.path.bytes.count < $1.path.bytes.count }) {
                if entry.kind != .directory { expected = expected.filter { !$0.key.isWithin(entry.path) } }
                expected[entry.path] = entry.kind
                Self.imply(entry.path, in: &expected)
            }
            tree = try tree.adding(
                DiffID(Digest(of: "\(number)")), FileList(Array(layer.values) + marks, tarSize: 0))
            #expect(Self.paths(tree).sorted() == expected.keys.map(\.text).sorted())
            for (path, kind) in expected { #expect(tree.node(at: path)?.entry.kind == kind, "\(path)") }
        }
    }

    private static func imply(_ path: PathBytes, in files: inout [PathBytes: LayerEntry.Kind]) {
        var parent = path.parent
        while !parent.isEmpty {
            files[parent] = .directory
            parent = parent.parent
        }
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
