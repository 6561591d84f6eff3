import Layers
import Linux
import OCI
import SystemPackage
import Testing
import Trees

@Suite struct LayerDraftTests {
    private static let parents = NewDirectory(modified: FileTime(seconds: 0))

    private static func file(_ path: PathBytes, size: Int64 = 0) -> LayerEntry {
        LayerEntry(path: path, kind: .regular, permissions: 0o644, size: size)
    }

    /// A file of a context, as the draft gets it.
    private static func node(_ path: PathBytes) -> FileNode {
        let fingerprint = FileFingerprint(
            device: 1, inode: 2, size: 3, modified: FileTime(seconds: 4), changed: FileTime(seconds: 5))
        return FileNode(path: path, entry: file(path, size: 3), linkIdentity: nil, origin: .directory(fingerprint))
    }

    @Test func `files come in the order of a layer, with what was said of them last`() throws {
        var draft = LayerDraft(on: LayerTree())
        let source = draft.add(LayerFileTree(tree: LayerTree(), directories: []))
        for name: PathBytes in ["b/z", "a-b", "b/a"] {
            let node = Self.node(PathBytes("src").appending(name))
            try draft.put(.init(entry: node.entry, content: .file(node, source)), at: name, parents: Self.parents)
        }
        try draft.put(.init(entry: Self.file("a-b", size: 1), content: .bytes([7])), at: "a-b", parents: Self.parents)
        draft.updateDirectory("b") { $0.permissions = 0o700 }
        var found: [String] = []
        draft.forEach { file in
            let content =
                switch file.content {
                case .none: "none"
                case .bytes(let bytes): "\(bytes)"
                case .file(let node, _): "\(node.path) \(node.origin)".prefix { $0 != "(" }.description
                }
            found.append("\(file.entry.path) \(String(file.entry.permissions, radix: 8)) \(content)")
        }
        #expect(found == ["a-b 644 [7]", "b 700 none", "b/a 644 src/b/a directory", "b/z 644 src/b/z directory"])
        #expect(draft.count == 4)
    }

    @Test func `a file in place of a directory takes away what is below it`() throws {
        var draft = LayerDraft(on: LayerTree())
        try draft.put(.init(entry: Self.file("d/x/y"), content: .none), at: "d/x/y", parents: Self.parents)
        try draft.put(.init(entry: Self.file("dd"), content: .none), at: "dd", parents: Self.parents)
        try draft.put(.init(entry: Self.file("d"), content: .none), at: "d", parents: Self.parents)
        #expect(draft.entries.map(\.path).sorted() == ["d", "dd"])
        #expect(draft.entry(at: "d/x/y") == nil)
    }

    /// Other tests of this process take memory at the same time, so the limit is a good deal above what is needed.
    @Test func `a hundred thousand files take less than sixty megabytes`() throws {
        let before = try Self.resident()
        var draft = LayerDraft(on: LayerTree())
        let source = draft.add(LayerFileTree(tree: LayerTree(), directories: []))
        for number in 0..<100_000 {
            let node = Self.node(PathBytes("context/directory\(number / 1000)/file-\(number)"))
            try draft.put(
                .init(entry: node.entry, content: .file(node, source)),
                at: PathBytes("app/directory\(number / 1000)/file-\(number)"), parents: Self.parents)
        }
        let bytes = try Self.resident() - before
        #expect(draft.count == 100_101)
        #expect(bytes < 60 << 20, "\(bytes >> 20) MiB")
    }

    private static func resident() throws -> Int {
        let pages = try readText("/proc/self/statm").split(separator: " ")
        return (try #require(Int(pages[1]))) * 4096
    }
}
