import DockerfileSyntax
import Layers
import Linux
import Synchronization
import SystemPackage
import Testing

@testable import Trees

@Suite struct DirectoryContentsTests {
    private func taken(_ contents: DirectoryContents) throws -> [FileNode] {
        var (contents, files) = (contents, [FileNode]())
        while let file = try contents.popFirst() { files.append(file) }
        return files
    }

    /// A directory of its own, which goes with the value.
    private final class Scratch {
        let path: FilePath

        init() throws {
            let name = "lamina-contents-\(UInt64.random(in: 0 ... .max))"
            path = FilePath("/tmp/\(name)")
            try Directory(opening: "/tmp").makeDirectory(PathBytes(name), permissions: 0o755)
        }

        deinit {
            if let name = path.lastComponent { try? Directory(opening: "/tmp").removeTree(PathBytes(name.string)) }
        }
    }

    /// A context with so many files, of which each tenth is ignored and each hundredth is a directory.
    private func context(_ count: Int) throws -> (tree: ContextTree, directory: Scratch, expected: [String]) {
        let directory = try Scratch()
        let root = try Directory(opening: directory.path)
        var expected: [String] = []
        for number in 0..<count {
            let name = String("\(100_000 + number)".reversed())
            if number % 10 == 5 {
                _ = try root.create(PathBytes(name + ".log"))
                continue
            }
            expected.append(name)
            if number % 100 == 0 {
                try root.makeDirectory(PathBytes(name), permissions: 0o755)
                _ = try root.create(PathBytes(name + "/in"))
            } else {
                _ = try root.create(PathBytes(name))
            }
        }
        let rules = try IgnoreRules(patterns: ["*.log"])
        return (try ContextTree(directory.path, rules: rules, cache: nil), directory, expected.sorted())
    }

    @Test(arguments: [0, 1, 1023, 1025, 3000])
    func allFilesOfADirectoryComeInOrder(_ count: Int) throws {
        let (tree, directory, expected) = try context(count)
        defer { withExtendedLifetime(directory) {} }
        let top = try #require(try tree.node(at: ""))
        #expect(try taken(tree.contents(of: top)).map(\.path.text) == expected)
        // The walk that lists ahead finds the same, and what is in directories of later pieces.
        var (all, inside) = ([String](), 0)
        try tree.forWalk().walk(below: top) { file in
            if file.path.depth == 1 { all.append(file.path.text) } else { inside += 1 }
            return true
        }
        #expect(all == expected)
        #expect(inside == (count + 99) / 100)
    }

    @Test func filesAreLookedAtInPiecesWhenTheyAreAskedFor() throws {
        let pieces = Mutex<[Int]>([])
        let names = (1000..<4000).map { PathBytes("\($0)") }
        var contents = DirectoryContents(names: names) { piece in
            pieces.withLock { $0.append(piece.count) }
            return piece.map { name in
                FileNode(
                    path: name, entry: LayerEntry(path: name, kind: .regular), linkIdentity: nil,
                    origin: .layer(0, name))
            }
        }
        #expect(pieces.withLock(\.self).isEmpty)
        #expect(try contents.popFirst()?.path == "1000")
        #expect(pieces.withLock(\.self) == [1024])
        #expect(contents.readyCount == 1023)
        #expect(try taken(contents).map(\.path) == Array(names.dropFirst()))
        #expect(pieces.withLock(\.self) == [1024, 1024, 952])
    }
}
