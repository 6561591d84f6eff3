import Diagnostics
import Glibc
import Layers
import Linux
import OCI
import SystemPackage
import Testing

/// Trees as deep as a layer may hold them go through every walk, and deeper ones are refused and removed.
@Suite struct DeepTreeTests {
    /// Makes directories, one in another, with a file in the last, deeper than one path can say.
    private static func makeDeep(_ depth: Int, in scratch: borrowing Scratch) throws {
        let walk = try DirectoryStack(scratch.directory)
        for _ in 0..<depth {
            try walk.current.directory.makeDirectory("d", permissions: 0o755)
            try walk.enter("d")
        }
        try walk.current.directory.create("f").write(Array("deep".utf8).span)
    }

    private static func entries(_ depth: Int) -> [LayerEntry] {
        var path: PathBytes = ""
        return (0..<depth).map { _ in
            path = path.appending("d")
            return LayerEntry(path: path, kind: .directory, permissions: 0o755)
        }
    }

    @Test func `the deepest tree of a layer is written, read, unpacked and found again`() throws {
        let depth = PathBytes.depthLimit - 1
        let file = LayerEntry(
            path: PathBytes(Array(repeating: "d", count: depth).joined(separator: "/")).appending("f"), kind: .regular,
            permissions: 0o644)
        let (bytes, layer) = try tar(Self.entries(depth) + [file], content: [file.path: "deep"])
        #expect(try LayerReader.readFileList(from: PieceStream(bytes)).fileList == layer.files.decoded())
        let scratch = try Scratch()
        let target = try scratch.makeDirectory("t")
        var applier = LayerApplier(.plain)
        applier.preservesOwners = false
        #expect(try applier.apply(PieceStream(bytes), to: target).diffID == layer.diffID)
        let found = try LayerDiffer().find(target)
        #expect(try found.map(\.entry.path) == layer.files.decoded().entries.map(\.path))
        #expect(try TreeStamps(of: target).count == depth + 1)
        try target.copyTree("d", to: "copy", in: scratch.directory)
        scratch.run("test \"$(find copy | wc -l)\" = \(depth + 1)")
        try scratch.directory.removeTree("copy")
        // A whiteout of what the layer did not bring goes through all of it.
        _ = try applier.apply(PieceStream(tar([LayerEntry(path: "d", kind: .whiteout)]).bytes), to: target)
        #expect(try target.names() == [])
    }

    @Test func `a tree deeper than a layer may hold is refused everywhere and can be removed`() throws {
        let scratch = try Scratch()
        try Self.makeDeep(PathBytes.depthLimit + 2000, in: scratch)
        let message = "more than 2048 directories are one in another, which no layer may hold"
        let found = #expect(throws: LayerError.self) { try LayerDiffer().find(scratch.directory) }
        #expect(found?.message == message)
        let stamped = #expect(throws: LayerError.self) { try TreeStamps(of: scratch.directory) }
        #expect(stamped?.message == message)
        let entries = Self.entries(PathBytes.depthLimit + 1)
        #expect(throws: LayerError.self) { try tar(entries) }
        var bytes: [UInt8] = []
        for entry in entries { bytes += Tar.header(of: entry) }
        #expect(throws: LayerError.self) { try LayerReader.readFileList(from: PieceStream(bytes)) }
        try scratch.directory.removeTree("d")
        #expect(try scratch.directory.names() == [])
    }

    @Test func `few directories are open however deep a walk is`() throws {
        let scratch = try Scratch()
        let walk = try DirectoryStack(scratch.directory)
        for depth in 1...1000 {
            try walk.current.directory.makeDirectory("d", permissions: 0o755)
            try walk.enter("d")
            #expect(walk.depth == depth)
        }
        let count = try openFiles(below: scratch.path)
        #expect(count > 10 && count < 100)
        for depth in (0..<1000).reversed() {
            try walk.leave()
            #expect(walk.depth == depth)
            #expect(try walk.current.directory.statusIfExists("d") != nil)
        }
        #expect(try walk.current.directory.status(".").inode == scratch.directory.status(".").inode)
    }

    @Test func `a directory that was moved during a walk ends it`() throws {
        let scratch = try Scratch()
        try Self.makeDeep(200, in: scratch)
        _ = try scratch.makeDirectory("elsewhere")
        let walk = try DirectoryStack(scratch.directory)
        let top = try DirectoryStack(scratch.directory)
        for depth in 0..<200 {
            try walk.enter("d")
            if depth < 50 { try top.enter("d") }
        }
        try top.current.directory.rename("d", to: "moved", in: scratch.directory.directory("elsewhere"))
        #expect(throws: LinuxError.self) { for _ in 0..<200 { try walk.leave() } }
    }

    /// The number of descriptors for what is in a directory; other tests open and close theirs meanwhile.
    private func openFiles(below path: String) throws -> Int {
        let descriptors = try Directory(opening: "/proc/self/fd")
        return try descriptors.names().count { name in
            (try? descriptors.linkTarget(name))?.bytes.starts(with: Array((path + "/").utf8)) ?? false
        }
    }
}
