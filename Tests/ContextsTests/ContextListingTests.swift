import Diagnostics
import DockerfileSyntax
import Frontend
import Glibc
import Linux
import SystemPackage
import Testing
import Trees

@testable import Contexts

/// A build context on the disk, removed when the test is over.
private final class ContextFixture {
    let path: FilePath

    init(_ files: [String: String], links: [String: String] = [:]) throws {
        path = FilePath("/tmp/lamina-context-\(UInt64.random(in: 0 ... .max))")
        try Directory(opening: "/tmp").makeDirectory(PathBytes(path.lastComponent?.string ?? ""), permissions: 0o755)
        let root = try Directory(opening: path)
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            var parent = PathBytes("")
            for component in PathBytes(name).parent.components {
                parent = parent.appending(component)
                if try root.statusIfExists(parent) == nil { try root.makeDirectory(parent, permissions: 0o755) }
            }
            try root.create(PathBytes(name)).write(Array(content.utf8).span)
        }
        for (name, target) in links { try root.makeSymlink(PathBytes(name), to: PathBytes(target)) }
    }

    deinit {
        if let name = path.lastComponent { try? Directory(opening: "/tmp").removeTree(PathBytes(name.string)) }
    }

    func listing(_ dockerfile: String? = nil) throws -> ContextListing {
        try ContextListing(of: path, dockerfile: dockerfile.map { path.appending($0) })
    }
}

@Suite struct ContextListingTests {
    @Test func listsWhatIsNotIgnored() throws {
        let context = try ContextFixture(
            [
                ".dockerignore": "# logs\n*.log\nbig\n!big/keep\n", "Dockerfile": "FROM scratch\n", "a.log": "x",
                "b": "12345", "big/keep": "k", "big/x": "x", "d/e/f": "",
            ], links: ["z": "b"])
        let files = try context.listing().files()
        #expect(files.map(\.path.text) == [".dockerignore", "Dockerfile", "b", "big/keep", "d/e/f", "z"])
        #expect(files.map(\.size) == [27, 13, 5, 1, 0, 0])
        #expect(files.map(\.kind) == [.file, .file, .file, .file, .file, .symlink])
    }

    @Test("A store within the context is no part of it, whatever links lead there", arguments: ["a/store", "a/link"])
    func leavesTheStoreOut(_ store: String) throws {
        let context = try ContextFixture(
            ["a/store/db.sqlite": "x", "a/store/blobs/b": "x", "a/storeroom": "y", "store/z": "z"],
            links: ["a/link": "store"])
        let listing = try ContextListing(of: context.path, without: context.path.appending(store))
        #expect(try listing.files().map(\.path.text) == ["a/link", "a/storeroom", "store/z"])
        for path: PathBytes in ["a/store", "a/store/blobs/b"] {
            let decision = try listing.decision(on: path)
            #expect(!decision.isVisible && !decision.exists)
        }
        let tree = try ContextTree(
            context.path, rules: IgnoreRules(patterns: []), cache: nil, without: context.path.appending(store))
        #expect(try !tree.isPlain("") && !tree.isPlain("a") && !tree.isPlain("a/store"))
        #expect(try tree.node(at: "a/store/blobs") == nil && tree.node(at: "a/storeroom") != nil)
    }

    @Test("A store elsewhere, or one that is the context, hides nothing")
    func keepsWhatIsNoStore() throws {
        let context = try ContextFixture(["a": "x", "b/c": "y"])
        for store: FilePath in ["/", "/nowhere", context.path] {
            #expect(try ContextListing(of: context.path, without: store).files().map(\.path.text) == ["a", "b/c"])
        }
    }

    @Test func saysWhichLineDecided() throws {
        let context = try ContextFixture([
            ".dockerignore": "# logs\n*.log\nbig\n!big/keep\n", "a.log": "", "b": "", "big/keep": "",
        ])
        let listing = try context.listing()
        func facts(_ path: PathBytes) throws -> [String] {
            let decision = try listing.decision(on: path)
            let line = decision.pattern.map { "\($0.line)" } ?? "-"
            return [decision.path.text, line, "\(decision.isIgnored) \(decision.exists) \(decision.isVisible)"]
        }
        #expect(try facts("./a.log") == ["a.log", "2", "true true false"])
        #expect(try facts("/b/") == ["b", "-", "false true true"])
        #expect(try facts("x/../big") == ["big", "3", "true true true"])
        #expect(try facts("big/keep") == ["big/keep", "4", "false true true"])
        #expect(try facts("big/none") == ["big/none", "3", "true false false"])
        #expect(try facts("") == ["", "-", "false true true"])
    }

    @Test func ignoreFileOfTheDockerfileCounts() throws {
        let context = try ContextFixture([
            ".dockerignore": "a\n", "Dockerfile": "", "other": "", "other.dockerignore": "b\n", "a": "", "b": "",
        ])
        #expect(try context.listing().ignoreFile?.lastComponent == ".dockerignore")
        #expect(try context.listing("other").ignoreFile?.lastComponent == "other.dockerignore")
        #expect(try context.listing("other").decision(on: "b").isIgnored)
        #expect(try !context.listing("other").decision(on: "a").isIgnored)
    }

    @Test func needsNoDockerfileAndNoIgnoreFile() throws {
        let context = try ContextFixture(["a": "1"])
        #expect(try context.listing().ignoreFile == nil)
        #expect(try context.listing().files().map(\.path) == ["a"])
        let error = try #require(throws: ContextsError.self) { try context.listing("none") }
        #expect(error.code == .dockerfileNotFound)
        let missing = try #require(throws: ContextsError.self) {
            try ContextListing(of: context.path.appending("none"))
        }
        #expect(missing.code == .contextNotFound)
    }

    @Test func pointsAtABadPattern() throws {
        let context = try ContextFixture([".dockerignore": "a\n[\n"])
        let error = try #require(throws: FrontendError.self) { try context.listing() }
        #expect(error.location?.lines == 2...2)
        #expect(error.location?.file == ".dockerignore")
    }
}
