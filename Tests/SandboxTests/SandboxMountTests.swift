import Diagnostics
import Glibc
import Linux
import Sandbox
import SystemPackage
import Testing

@Suite(.tags(.root), .enabled(if: Host.canSandbox, "needs root, namespaces and /bin/busybox"))
struct SandboxMountTests {
    @Test func bindsSortedByTarget() throws {
        let fixture = try Fixture()
        try fixture.makeDirectory(fixture.path.appending("data"))
        try fixture.write("data/f", Array("data".utf8))
        try fixture.write("one", Array("one".utf8))
        var spec = fixture.shell("cat /m/f /m/sub/one /s; echo x > /m/f; echo x > /m/sub/new && ls /m/sub; ls -ln /s")
        spec.mounts = [
            SandboxMount(target: "/m/sub/one", source: .bind(fixture.path.appending("one")), isReadOnly: true),
            SandboxMount(target: "/m/sub", source: .temporary(size: 1 << 20), isReadOnly: false),
            SandboxMount(target: "/m", source: .bind(fixture.path.appending("data")), isReadOnly: false),
            SandboxMount(
                target: "/s", source: .file(content: Array("s\n".utf8), permissions: 0o400, owner: 3, group: 4),
                isReadOnly: true, flags: [.noSetuid, .noExecute]),
        ]
        let lines = try run(spec).lines
        #expect(lines[0] == "dataones")
        #expect(lines[1...2] == ["new", "one"])
        #expect(lines[3].hasPrefix("-r--------    1 3        4"))
        #expect(try readText(fixture.path.appending("data/f")) == "x\n")
    }

    @Test func refusesToWriteReadOnlyMounts() throws {
        let fixture = try Fixture()
        try fixture.write("one", Array("one".utf8))
        var spec = fixture.shell("echo x > /one")
        spec.mounts = [SandboxMount(target: "/one", source: .bind(fixture.path.appending("one")), isReadOnly: true)]
        #expect(try !run(spec).status.isSuccess)
        #expect(try readText(fixture.path.appending("one")) == "one")
    }

    @Test func resolvesPathsInsideATree() throws {
        let fixture = try Fixture()
        for name in ["l1", "l2", "l1/d", "u2", "w2"] { try fixture.makeDirectory(fixture.path.appending(name)) }
        try fixture.write("l1/d/f", Array("inner\n".utf8))
        try Directory(opening: fixture.path.appending("l2")).makeSymlink("link", to: "/d/../../../d/f")
        let lowers = ["l2", "l1"].map { fixture.path.appending($0) }
        var spec = fixture.shell("cat /a /b; echo x > /a; echo y > /b; cat /b")
        let writable = SandboxTree.overlay(
            lowers: lowers, upper: fixture.path.appending("u2"), work: fixture.path.appending("w2"))
        spec.mounts = [
            SandboxMount(target: "/a", source: .tree(.layers(lowers), path: "/link"), isReadOnly: true),
            SandboxMount(target: "/b", source: .tree(writable, path: "link"), isReadOnly: false),
        ]
        #expect(try run(spec).lines == ["inner", "inner", "y"])
        #expect(try readText(fixture.path.appending("l1/d/f")) == "inner\n")
    }

    @Test(arguments: [1, 2, 50, 200])
    func stacksLayers(_ count: Int) throws {
        let fixture = try Fixture()
        var lowers: [FilePath] = []
        for number in 0..<count {
            let name = "layer-with-a-long-name-\(number)"
            try fixture.makeDirectory(fixture.path.appending(name))
            try fixture.write(FilePath("\(name)/top"), Array("\(number)\n".utf8))
            try fixture.write(FilePath("\(name)/f\(number)"), [])
            lowers.insert(fixture.path.appending(name), at: 0)
        }
        var spec = fixture.shell("cat /top; ls -d /f* | grep -c .; touch /new")
        spec.root = .overlay(
            lowers: lowers + [fixture.lower], upper: fixture.upper, work: fixture.path.appending("work"))
        #expect(try run(spec).lines == ["\(count - 1)", "\(count)"])
        #expect(try fixture.tree(fixture.upper) == ["new"])
    }

    @Test func takesPathsWithSeparators() throws {
        let fixture = try Fixture()
        for name in [#"a:b,c\d"#, "u:,\\"] { try fixture.makeDirectory(fixture.path.appending(name)) }
        try fixture.write(#"a:b,c\d/file"#, Array("x\n".utf8))
        var spec = fixture.shell("cat /file; touch /new")
        spec.root = .overlay(
            lowers: [fixture.path.appending(#"a:b,c\d"#), fixture.lower], upper: fixture.path.appending("u:,\\"),
            work: fixture.path.appending("work"))
        #expect(try run(spec).text == "x\n")
        #expect(try fixture.tree(fixture.path.appending("u:,\\")) == ["new"])
    }
}

@Suite(.tags(.root), .enabled(if: Host.canSandbox, "needs root, namespaces and /bin/busybox"))
struct MountStubsTests {
    private func stubbed(_ fixture: Fixture, _ script: String) throws -> SandboxSpec {
        try fixture.write("empty", [])
        var spec = fixture.shell(script)
        spec.resolvConf = fixture.path.appending("empty")
        spec.hosts = fixture.path.appending("empty")
        spec.mounts = [
            SandboxMount(target: "/usr/local/x/y", source: .temporary(size: nil), isReadOnly: false)
        ]
        return spec
    }

    @Test func leaveNothingInTheLayer() throws {
        let fixture = try Fixture()
        let lower = try Directory(opening: fixture.lower)
        try lower.makeDirectory("usr", permissions: 0o755)
        try lower.makeDirectory("run", permissions: 0o755)
        try Directory(opening: fixture.lower.appending("usr")).makeDirectory("local", permissions: 0o755)
        try Directory(opening: fixture.lower.appending("etc")).makeSymlink("resolv.conf", to: "../run/r/stub.conf")
        let before = try Directory(opening: fixture.upper).descriptor.status().modified
        #expect(try run(stubbed(fixture, "cat /etc/resolv.conf")).status.isSuccess)
        #expect(try fixture.tree(fixture.upper) == [])
        #expect(try Directory(opening: fixture.upper).descriptor.status().modified == before)
    }

    @Test func keepWhatTheCommandMade() throws {
        let fixture = try Fixture()
        let outcome = try run(stubbed(fixture, "echo x > /etc/new; echo y > /usr/local/f; echo z > /usr/local/x/y/z"))
        #expect(outcome.status.isSuccess)
        #expect(
            try fixture.tree(fixture.upper) == ["etc/", "etc/new", "usr/", "usr/local/", "usr/local/f"])
    }

    @Test func restoreTheTimesOfTheirParents() throws {
        let fixture = try Fixture()
        let lower = try Directory(opening: fixture.lower)
        let time = FileTime(seconds: 1_000_000, nanoseconds: 5)
        try lower.setModified("etc", time)
        // Not through the directory that gets the stubs, so only they change its time.
        #expect(try run(stubbed(fixture, "echo x >> /etc/passwd")).status.isSuccess)
        #expect(try fixture.tree(fixture.upper) == ["etc/", "etc/passwd"])
        #expect(try Directory(opening: fixture.upper).status("etc").modified == time)
    }

    @Test func keepAChangedDirectory() throws {
        let fixture = try Fixture()
        #expect(try run(stubbed(fixture, "chmod 700 /etc")).status.isSuccess)
        #expect(try fixture.tree(fixture.upper) == ["etc/"])
        #expect(try Directory(opening: fixture.upper).status("etc").permissions == 0o700)
    }

    @Test func leaveADirectoryAsItWas() throws {
        let fixture = try Fixture()
        var spec = try stubbed(fixture, "true")
        spec.root = .directory(fixture.lower)
        let before = try fixture.tree(fixture.lower)
        #expect(try run(spec).status.isSuccess)
        #expect(try fixture.tree(fixture.lower) == before)
    }
}
