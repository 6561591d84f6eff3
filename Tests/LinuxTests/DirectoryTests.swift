import Diagnostics
import Glibc
import Linux
import SystemPackage
import Testing

/// A directory for one test, removed after it.
private struct Scratch: ~Copyable {
    let path: FilePath
    let directory: Directory

    init() throws {
        path = FilePath("/tmp/lamina-linux-\(ProcessIdentity.current)-\(UInt64.random(in: 0 ... .max))")
        let parent = try Directory(opening: "/tmp")
        try parent.makeDirectory(PathBytes(try #require(path.lastComponent).string), permissions: 0o700)
        directory = try Directory(opening: path)
    }

    deinit {
        guard let name = path.lastComponent, let parent = try? Directory(opening: path.removingLastComponent()) else {
            return
        }
        try? parent.removeTree(PathBytes(name.string))
    }
}

@Suite struct DirectoryTests {
    @Test func staysBeneathTheDirectory() throws {
        let scratch = try Scratch()
        try scratch.directory.makeSymlink("out", to: "/etc")
        try scratch.directory.makeSymlink("up", to: "../..")
        for path in ["../x", "/etc/passwd", "out/passwd", "up/etc/passwd"] as [PathBytes] {
            #expect(throws: LinuxError.self) { _ = try scratch.directory.open(path) }
        }
    }

    @Test func treatsItselfAsTheRoot() throws {
        let scratch = try Scratch()
        try scratch.directory.makeDirectory("etc", permissions: 0o755)
        let file = try scratch.directory.open("etc/name", O_WRONLY | O_CREAT, mode: 0o644)
        try file.write(Array("inside".utf8).span)
        try scratch.directory.makeSymlink("link", to: "/etc")
        let opened = try scratch.directory.open("link/../../../etc/name", resolving: .inRoot)
        #expect(try opened.readAll(limit: 100) == Array("inside".utf8))
    }

    @Test func listsNamesInByteOrderWhateverTheyAre() throws {
        let scratch = try Scratch()
        let names = ["b", "a", "\u{e9}", "e\u{301}"].map { PathBytes($0) } + [PathBytes([0xff, 0x0a])]
        for name in names { _ = try scratch.directory.create(name) }
        #expect(try scratch.directory.names() == names.sorted())
    }

    @Test func removesTreesWithoutFollowingLinks() throws {
        let scratch = try Scratch()
        try scratch.directory.makeDirectory("keep", permissions: 0o755)
        _ = try scratch.directory.create("keep/file")
        try scratch.directory.makeDirectory("tree", permissions: 0o755)
        try scratch.directory.directory("tree").makeSymlink("link", to: "../keep")
        try scratch.directory.removeTree("tree")
        #expect(try scratch.directory.names() == ["keep"])
        #expect(try scratch.directory.directory("keep").names() == ["file"])
    }

    @Test func keepsAttributesAndTimes() throws {
        let scratch = try Scratch()
        _ = try scratch.directory.create("f")
        let attribute = ExtendedAttribute(name: "user.test", value: Array("v\0w".utf8))
        try scratch.directory.setExtendedAttribute("f", attribute)
        #expect(try scratch.directory.extendedAttributes("f") == [attribute])
        try scratch.directory.setModified("f", FileTime(seconds: 12, nanoseconds: 34))
        #expect(try scratch.directory.status("f").modified == FileTime(seconds: 12, nanoseconds: 34))
    }

    @Test func errorsNameTheCallAndTheFile() throws {
        let scratch = try Scratch()
        let error = #expect(throws: LinuxError.self) { _ = try scratch.directory.open("missing") }
        #expect(error?.code == .notFound)
        #expect(error?.message == "cannot open 'missing': No such file or directory")
    }
}

@Suite struct FileLockTests {
    @Test func exclusiveExcludes() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("lock")
        do {
            let held = try FileLock(path, .shared)
            #expect(try FileLock.attempt(path, .shared) != nil)
            #expect(try FileLock.attempt(path, .exclusive) == nil)
            _ = consume held
        }
        #expect(try FileLock.attempt(path, .exclusive) != nil)
    }
}

@Suite struct ProcessIdentityTests {
    @Test func knowsTheLiving() throws {
        let own = ProcessIdentity.current
        #expect(own.isAlive)
        #expect(ProcessIdentity(own.description) == own)
        let reused = try #require(ProcessIdentity("\(own.pid)-1"))
        #expect(!reused.isAlive)
        #expect(ProcessIdentity("x") == nil)
    }
}
