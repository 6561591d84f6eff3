import Layers
import Linux
import Testing
import Trees

@testable import Records

@Suite struct FileChangesTests {
    private static func file(
        _ path: String, _ content: UInt64 = 1, size: Int64 = 10, kind: LayerEntry.Kind = .regular, mode: UInt32 = 0o644,
        owner: UInt32 = 0, link: PathBytes = "", hardLink: PathBytes = "", attributes: UInt64 = 0
    ) -> FileListing.File {
        FileListing.File(
            path: PathBytes(path), kind: kind, permissions: mode, owner: owner, group: owner, size: size,
            linkTarget: link, hardLink: hardLink, content: content, attributes: attributes)
    }

    struct Case: CustomTestStringConvertible {
        let name: String
        let old: [FileListing.File]
        let new: [FileListing.File]
        let expected: [FileChanges.Change]

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "equal", old: [file("a"), file("b")], new: [file("b"), file("a")], expected: []),
        Case(
            name: "content", old: [file("a", 1, size: 3)], new: [file("a", 2, size: 4)],
            expected: [.init(path: "a", kind: .changed([.content(3, 4)]))]),
        Case(
            name: "mode and owner", old: [file("a")], new: [file("a", mode: 0o755, owner: 5)],
            expected: [.init(path: "a", kind: .changed([.mode(0o644, 0o755), .owner([0, 0], [5, 5])]))]),
        Case(
            name: "link", old: [file("a", kind: .symlink, link: "x")], new: [file("a", kind: .symlink, link: "y")],
            expected: [.init(path: "a", kind: .changed([.linkTarget("x", "y")]))]),
        Case(
            name: "kind", old: [file("a")], new: [file("a", 0, size: 0, kind: .directory, mode: 0o755)],
            expected: [.init(path: "a", kind: .changed([.kind("file", "directory")]))]),
        Case(
            name: "attributes", old: [file("a")], new: [file("a", attributes: 3)],
            expected: [.init(path: "a", kind: .changed([.attributes]))]),
        Case(
            name: "a link that the source goes through", old: [file("a", 1, link: "x")],
            new: [file("a", 2, link: "y")],
            expected: [.init(path: "a", kind: .changed([.content(10, 10), .linkTarget("x", "y")]))]),
        Case(
            name: "a link to a directory in place of one to a file", old: [file("a", 1, link: "x")],
            new: [file("a", 0, size: 0, kind: .directory, mode: 0, link: "d")],
            expected: [.init(path: "a", kind: .changed([.kind("file", "directory"), .linkTarget("x", "d")]))]),
        Case(
            name: "a link in place of a file", old: [file("a")], new: [file("a", kind: .symlink, link: "b")],
            expected: [.init(path: "a", kind: .changed([.kind("file", "link")]))]),
        Case(
            name: "hard link", old: [file("a"), file("b", hardLink: "a")], new: [file("a"), file("b")],
            expected: [.init(path: "b", kind: .changed([.hardLink("a", "")]))]),
        Case(
            name: "a directory", old: [], new: [file("d", 0, size: 0, kind: .directory, mode: 0)],
            expected: [.init(path: "d", kind: .added)]),
        Case(
            name: "a file that two sources name", old: [file("a", 1), file("a", 1)], new: [file("a", 2), file("a", 2)],
            expected: [.init(path: "a", kind: .changed([.content(10, 10)]))]),
        Case(
            name: "files of one path in two trees", old: [file("a", 1), file("a", 2)],
            new: [file("a", 1), file("a", 3)],
            expected: [.init(path: "a", kind: .changed([.content(10, 10)]))]),
        Case(
            name: "one more source", old: [file("a", 1)], new: [file("a", 1), file("a", 2)],
            expected: [.init(path: "a", kind: .added)]),
        Case(
            name: "added and removed", old: [file("a", 1), file("b", 2)], new: [file("c", 3), file("b", 2)],
            expected: [.init(path: "c", kind: .added), .init(path: "a", kind: .removed)]),
        Case(
            name: "renamed", old: [file("a", 7)], new: [file("d/b", 7)],
            expected: [.init(path: "d/b", kind: .renamed(from: "a"))]),
        Case(
            name: "an empty file is not renamed", old: [file("a", 7, size: 0)], new: [file("b", 7, size: 0)],
            expected: [.init(path: "b", kind: .added), .init(path: "a", kind: .removed)]),
        Case(
            name: "one of two copies is renamed", old: [file("a", 7), file("b", 7)], new: [file("b", 7), file("c", 7)],
            expected: [.init(path: "c", kind: .renamed(from: "a"))]),
    ]

    @Test(arguments: cases) func areFound(_ test: Case) {
        #expect(FileChanges(from: test.old, to: test.new).changes == test.expected)
    }
}
