import Contexts
import Diagnostics
import Linux
import SystemPackage
import Testing
import Trees

@Suite final class ContextCopyTests {
    private let parent: Directory
    private let name = PathBytes("context-copy-\(UInt64.random(in: 0...UInt64.max))")

    init() throws {
        parent = try Directory(opening: "/tmp")
        try parent.makeDirectory(name, permissions: 0o700)
    }

    deinit { try? parent.removeTree(name) }

    private var path: FilePath { FilePath("/tmp/\(name.text)") }

    @Test func aCopyHasTheSameFilesWithAStricterMask() throws {
        let source = path.appending("source")
        try FileSystem.makeDirectories(source.appending("sub"))
        try FileSystem.write(Array("a".utf8), to: source.appending("file"))
        try FileSystem.write(Array("b".utf8), to: source.appending("sub/program"))
        let directory = try Directory(opening: source)
        try directory.setPermissions("file", 0o664)
        try directory.directory("sub").setPermissions("program", 0o775)
        try directory.makeSymlink("link", to: "sub/program")
        try directory.makeNode("pipe", .fifo, permissions: 0o600)
        try directory.setModified("file", FileTime(seconds: 1000))
        try ContextCopy.make(of: source, at: path.appending("elsewhere/copy"))
        let copy = try Directory(opening: path.appending("elsewhere/copy"))
        #expect(try copy.names() == ["file", "link", "sub"])
        #expect(try copy.open("file").readAll(limit: 10) == Array("a".utf8))
        #expect(try copy.status("file").permissions == 0o600)
        #expect(try copy.status("file").modified != FileTime(seconds: 1000))
        #expect(try copy.directory("sub").status("program").permissions == 0o700)
        #expect(try copy.linkTarget("link") == "sub/program")
    }

    @Test func whatIsNotThereIsAFailure() {
        #expect(throws: LinuxError.self) {
            try ContextCopy.make(of: path.appending("nothing"), at: path.appending("copy"))
        }
    }
}
