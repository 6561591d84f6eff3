import Contexts
import Diagnostics
import Frontend
import Graph
import Layers
import Linux
import Requests
import Store
import SystemPackage
import Testing
import Trees

@testable import Engine

/// Contexts that were made to do harm.
@Suite(.serialized) struct HostileContextTests {
    /// A member of an archive.
    private struct Member {
        var name: String
        var type = "0"
        var link = ""
        var content = "x"
    }

    /// The archive as Python's tarfile writes it, which takes any name.
    private static func archive(_ members: [Member], at path: FilePath) async throws {
        let script = """
            import io, sys, tarfile
            with tarfile.open(sys.argv[1], "w") as out:
                for word in sys.argv[2:]:
                    name, kind, link, content = word.split("|")
                    member = tarfile.TarInfo(name)
                    member.type = kind.encode()
                    member.linkname = link
                    member.mode = 0o644
                    if kind in "34": member.devmajor, member.devminor = 1, 3
                    data = content.encode() if kind == "0" else b""
                    member.size = len(data)
                    out.addfile(member, io.BytesIO(data))
            """
        try await runProgram(
            "python3", ["-c", script, path.string] + members.map { "\($0.name)|\($0.type)|\($0.link)|\($0.content)" })
    }

    private static let dockerfile = Member(name: "Dockerfile", content: "FROM scratch\nCOPY . /\n")

    private static func unpack(_ members: [Member]) async throws -> (ContextArchive, StoreRoot, Scratch) {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        let path = scratch.path.appending("a.tar")
        try await archive(members, at: path)
        let archive = try await offload {
            try ContextArchive(unpacking: DescriptorStream(try OwnedDescriptor.open(path)), in: store)
        }
        return (archive, store, scratch)
    }

    @Test(arguments: ["../out", "a/../../out", "..", "d/../../../etc/x"]) func namesThatLeadOut(_ name: String) async {
        let error = await #expect(throws: ContextsError.self) { _ = try await Self.unpack([Member(name: name)]) }
        #expect(error?.code == .badContext)
        #expect(error?.message.hasPrefix("the archive with the build context cannot be unpacked: ") == true)
    }

    /// The archive's root is what `/` means to it.
    @Test func absoluteNames() async throws {
        let (archive, store, scratch) = try await Self.unpack([Member(name: "/etc/lamina-was-here")])
        #expect(try readFile(archive.directory.path.pushing("etc/lamina-was-here")) == "x")
        #expect(throws: LinuxError.self) { try readFile("/etc/lamina-was-here") }
        withExtendedLifetime((store, scratch)) {}
    }

    /// The name of a whiteout is a name.
    @Test("A file of a context that is named as a whiteout is an ordinary file")
    func whiteouts() async throws {
        let (archive, store, scratch) = try await Self.unpack([Member(name: "a"), Member(name: ".wh.a")])
        #expect(try readFile(archive.directory.path.appending("a")) == "x")
        #expect(try readFile(archive.directory.path.appending(".wh.a")) == "x")
        withExtendedLifetime((store, scratch)) {}
    }

    /// Writing through a link stays below the directory.
    @Test func linksThatLeadOut() async throws {
        let scratch = try Scratch()
        let victim = scratch.path.appending("victim")
        try writeFile(Array("safe".utf8), victim)
        let parent = scratch.path.string
        for members in [
            [Member(name: "l", type: "2", link: parent), Member(name: "l/victim", content: "stolen")],
            [Member(name: "l", type: "2", link: victim.string), Member(name: "l", content: "stolen")],
            [
                Member(name: "l", type: "2", link: "../../../../../..\(parent)"),
                Member(name: "l/victim", content: "stolen"),
            ],
            [Member(name: "h", type: "1", link: victim.string), Member(name: "h", content: "stolen")],
            [Member(name: "h", type: "1", link: "../../../../../..\(victim)"), Member(name: "h", content: "stolen")],
        ] {
            _ = try? await Self.unpack(members)
            #expect(try readFile(victim) == "safe")
        }
        let error = await #expect(throws: ContextsError.self) {
            _ = try await Self.unpack([Member(name: "h", type: "1", link: "/etc/passwd")])
        }
        #expect(error?.code == .badContext)
    }

    @Test("A device in a context archive is refused", arguments: ["3", "4"])
    func devices(_ type: String) async {
        let error = await #expect(throws: ContextsError.self) {
            _ = try await Self.unpack([Member(name: "d/dev", type: type)])
        }
        #expect(error?.message == "the archive with the build context has a device, 'd/dev'")
    }

    @Test("A damaged context archive is an error")
    func damaged() async throws {
        let scratch = try Scratch()
        let store = try StoreRoot(at: scratch.path.appending("store"))
        let path = scratch.path.appending("a.tar")
        try await Self.archive([Self.dockerfile], at: path)
        try await runProgram("truncate", ["-s", "520", path.string])
        let error = #expect(throws: ContextsError.self) {
            try ContextArchive(unpacking: DescriptorStream(try OwnedDescriptor.open(path)), in: store)
        }
        #expect(error?.code == .badContext)
    }

    @Test(arguments: [
        ("FROM scratch\n", false), ("", false), ("#!/bin/sh\n", false), (String(repeating: "a", count: 2000), false),
        ("\u{1f}", false), ("BZh91AY", true),
    ])
    func archivesAndTexts(_ text: String, _ isArchive: Bool) {
        #expect(ContextArchive.isArchive(Array(Array(text.utf8).prefix(ContextArchive.headerSize))) == isArchive)
    }

    // MARK: Git

    /// No name of a repository is an option, a command or a file of this machine.
    @Test(arguments: [
        "ext::sh -c touch% /tmp/x", "file:///etc", "file:///tmp/r.git", "-u./payload", "--upload-pack=touch /tmp/x",
        "fd::17/foo", "/tmp/r.git", "ssh+git://h/r",
    ])
    func noRepositories(_ text: String) throws {
        #expect(try RemoteContext(text) == nil)
        guard case .directory = try ContextLocation(parsing: text) else {
            Issue.record("\(text) is more than a path")
            return
        }
    }

    @Test(arguments: [
        "ssh://-oProxyCommand=touch%20x/r.git", "ssh://git@-oProxyCommand=x/r.git", "-oProxyCommand=x@h:r.git",
        "git@-h:r.git",
    ])
    func optionsInNames(_ text: String) {
        #expect((try? RemoteContext(text)) == nil)
    }

    @Test func optionsInRefs() async throws {
        try await RemoteSourceFixture.with { fixture in
            let marker = fixture.root.appending("marker")
            for ref in ["--upload-pack=touch \(marker)", "-x", "a..b", "x:y:z", "ref with space"] {
                let url = "\(fixture.server.url)/git/r.git#\(ref)"
                var request = BuildRequest(context: "x")
                request.inputs.context = try ContextLocation(parsing: url)
                await #expect(throws: (any Error).self, "\(ref)") { try await fixture.run(request) }
            }
            #expect(throws: LinuxError.self) { try FileStatus(of: marker) }
        }
    }

    @Test("Redirects of a context are followed, but not from HTTPS to HTTP")
    func redirects() async throws {
        try await RemoteSourceFixture.with { fixture in
            try fixture.server.serve("Dockerfile", "FROM scratch\nCOPY <<x /y\nx\n")
            var request = BuildRequest(context: "x")
            request.inputs.context = try ContextLocation(parsing: "\(fixture.server.url)/to/Dockerfile")
            #expect(try await fixture.run(request).files.keys.sorted() == ["y"])
            request.inputs.context = try ContextLocation(parsing: "\(fixture.server.url)/loop")
            await #expect(throws: ContextsError.self) { try await fixture.run(request) }
        }
    }
}
