import Diagnostics
import Glibc
import Linux
import Sandbox
import SystemPackage
import Testing

/// Substitutes for mounts in a tree, and the tree afterwards.
@Suite(.tags(.root), .enabled(if: Host.canSandbox, "needs root and /bin/busybox"))
struct ChrootSubstituteTests {
    private final class Tree {
        let fixture: Fixture
        let aside: FilePath

        init() throws {
            fixture = try Fixture()
            aside = fixture.path.appending("aside")
            try fixture.makeDirectory(aside)
            try fixture.makeDirectory(fixture.lower.appending("etc/deep"))
            try fixture.write("lower/etc/hosts", Array("image".utf8))
            for name in ["etc/hosts", "etc/deep", "etc", "tmp", "bin"] {
                let path = fixture.lower.appending(name)
                let parent = try Directory(opening: path.removingLastComponent())
                try parent.setModified(PathBytes(path.lastComponent?.string ?? ""), FileTime(seconds: 1_000_000))
            }
        }

        func place(_ substitutes: ChrootSubstitute...) throws -> ChrootSubstitutes {
            try ChrootSubstitutes.place(substitutes, in: fixture.lower, aside: aside, base: fixture.path)
        }

        func text(_ name: String) throws -> String {
            let root = try Directory(opening: fixture.path)
            return String(decoding: try root.open(PathBytes(name)).readAll(limit: 1 << 16), as: UTF8.self)
        }

        func modified(_ name: String) throws -> Int64 {
            try Directory(opening: fixture.path).status(PathBytes(name)).modified.seconds
        }

        /// A time that no change before has, and none afterwards is before.
        func waitForTick() throws -> FileTime {
            let directory = try Directory(opening: fixture.path)
            func touch() throws -> FileTime {
                try fixture.write("clock", [])
                return try directory.status("clock").changed
            }
            let start = try touch()
            while true {
                let time = try touch()
                if time != start { return time }
            }
        }

        /// Runs a script of busybox in the fixture's directory, as what a command in the tree would do.
        func run(_ script: String) {
            #expect(unsafe system("cd '\(fixture.path)' && \(script)") == 0, "\(script)")
        }
    }

    private static func file(_ target: FilePath, _ text: String) -> ChrootSubstitute {
        ChrootSubstitute(
            target: target, content: .file(content: Array(text.utf8), permissions: 0o400, owner: 3, group: 4))
    }

    @Test func hidesWhatIsThereAndGivesItBack() throws {
        let tree = try Tree()
        let before = try tree.fixture.tree(tree.fixture.lower)
        let substitutes = try tree.place(
            Self.file("/etc/hosts", "builder"), Self.file("/etc/none", "x"), Self.file("/run/secrets/s", "secret"),
            ChrootSubstitute(target: "/tmp", content: .directory(permissions: 0o1777)),
            ChrootSubstitute(target: "/dev", content: .devices))
        #expect(try tree.text("lower/etc/hosts") == "builder")
        #expect(try tree.text("lower/run/secrets/s") == "secret")
        let status = try Directory(opening: tree.fixture.lower).status("run/secrets/s")
        #expect((status.permissions, status.owner, status.group) == (0o400, 3, 4))
        #expect(try tree.modified("lower/etc") == 1_000_000)
        tree.run("echo changed > lower/etc/hosts && rm lower/etc/none && echo x > lower/tmp/x && echo y > lower/dev/y")
        try substitutes.remove()
        #expect(try tree.text("lower/etc/hosts") == "image")
        #expect(try tree.fixture.tree(tree.fixture.lower) == before)
        #expect(try tree.fixture.tree(tree.aside).isEmpty)
        #expect(try tree.modified("lower/etc/hosts") == 1_000_000)
        #expect(try tree.modified("lower/bin") == 1_000_000)
    }

    @Test func keepsTheTimesOfDirectoriesThatNobodyChanged() throws {
        let tree = try Tree()
        try tree.place(Self.file("/etc/hosts", "a"), Self.file("/etc/deep/new/er", "b")).remove()
        #expect(try tree.modified("lower/etc") == 1_000_000)
        #expect(try tree.modified("lower/etc/deep") == 1_000_000)
        let substitutes = try tree.place(Self.file("/etc/hosts", "a"))
        tree.run("touch -d @2000000 lower/etc/deep lower/etc")
        try substitutes.remove()
        #expect(try tree.modified("lower/etc") == 2_000_000)
    }

    @Test func keepsWhatTheCommandPutBesideThem() throws {
        let tree = try Tree()
        let substitutes = try tree.place(Self.file("/run/secrets/s", "secret"))
        tree.run("echo mine > lower/run/mine")
        try substitutes.remove()
        #expect(try tree.fixture.tree(tree.fixture.lower).filter { $0.hasPrefix("run") } == ["run/", "run/mine"])
    }

    @Test func followsLinksAsTheRootMeansThem() throws {
        let tree = try Tree()
        tree.run("mkdir outside lower/inside && ln -s /inside lower/absolute && ln -s ../../../inside lower/etc/up")
        let substitutes = try tree.place(Self.file("/absolute/a", "1"), Self.file("/etc/up/b", "2"))
        #expect(try tree.text("lower/inside/a") == "1")
        #expect(try tree.text("lower/inside/b") == "2")
        try substitutes.remove()
        #expect(try tree.fixture.tree(tree.fixture.lower.appending("inside")).isEmpty)
    }

    @Test func survivesTheRemovalOfADirectoryAroundThem() throws {
        let tree = try Tree()
        let substitutes = try tree.place(Self.file("/etc/deep/a", "1"), Self.file("/etc/hosts", "2"))
        tree.run("rm -r lower/etc/deep && mv lower/etc lower/moved")
        try substitutes.remove()
        #expect(try tree.text("lower/moved/hosts") == "image")
        #expect(try tree.fixture.tree(tree.aside).isEmpty)
    }

    @Test func movesACacheInAndBack() throws {
        let tree = try Tree()
        tree.run("mkdir -p cache/0/fs && echo old > cache/0/fs/old")
        let home = tree.fixture.path.appending("cache/0/fs")
        let substitutes = try tree.place(ChrootSubstitute(target: "/var/cache/x", content: .cache(home)))
        #expect(try tree.text("lower/var/cache/x/old") == "old\n")
        #expect(try tree.text("cache/0/lent") == "lower/var/cache/x")
        tree.run("echo new > lower/var/cache/x/new")
        try substitutes.remove()
        #expect(try tree.fixture.tree(tree.fixture.path.appending("cache")) == ["0/", "0/fs/", "0/fs/new", "0/fs/old"])
        #expect(try tree.fixture.tree(tree.fixture.lower).contains("var/") == false)
    }

    @Test func movesACacheBackWhenItIsDropped() throws {
        let tree = try Tree()
        tree.run("mkdir -p cache/0/fs && echo old > cache/0/fs/old")
        let home = tree.fixture.path.appending("cache/0/fs")
        do { _ = try tree.place(ChrootSubstitute(target: "/c", content: .cache(home))) }
        #expect(try tree.text("cache/0/fs/old") == "old\n")
        // The command removed it: the next one finds it empty.
        let substitutes = try tree.place(ChrootSubstitute(target: "/c", content: .cache(home)))
        tree.run("rm -r lower/c")
        try substitutes.remove()
        #expect(try tree.fixture.tree(tree.fixture.path.appending("cache")) == ["0/", "0/fs/"])
    }

    /// The tree is deleted with its owner, and the cache must be out of it by then.
    @Test func movesACacheBackBeforeTheTreeIsDeleted() throws {
        final class Owner: Sendable {
            let path: FilePath
            init(_ path: FilePath) { self.path = path }
            deinit {
                let parent = try? Directory(opening: path.removingLastComponent())
                try? parent?.removeTree(PathBytes(path.lastComponent?.string ?? ""))
            }
        }
        let tree = try Tree()
        tree.run("mkdir -p cache/0/fs && echo old > cache/0/fs/old")
        let home = tree.fixture.path.appending("cache/0/fs")
        do {
            _ = try ChrootSubstitutes.place(
                [ChrootSubstitute(target: "/c", content: .cache(home))], in: tree.fixture.lower, aside: tree.aside,
                base: tree.fixture.path, owner: Owner(tree.fixture.lower))
        }
        #expect(try tree.text("cache/0/fs/old") == "old\n")
        #expect(try Directory(opening: tree.fixture.path).statusIfExists("lower") == nil)
    }

    /// A process with its working directory in a cache would be outside of its root once the cache is.
    @Test func endsAProcessBeforeItsCacheIsMoved() throws {
        let tree = try Tree()
        tree.run("mkdir -p cache/0/fs")
        let home = tree.fixture.path.appending("cache/0/fs")
        let substitutes = try tree.place(ChrootSubstitute(target: "/c", content: .cache(home)))
        let survivor = "chroot lower /bin/sh -c 'cd /c && sleep 4711; ls .. > /c/../../../../outside'"
        tree.run("(setsid \(survivor) > /dev/null 2>&1 &) && sleep 0.3")
        try substitutes.remove()
        #expect(unsafe system("pgrep -f '^sleep 4711$' > /dev/null") != 0)
        #expect(try tree.fixture.tree(tree.fixture.path.appending("cache")) == ["0/", "0/fs/"])
    }

    @Test(arguments: [("/etc/deep", 0o750), ("/none", 0o1777)] as [(FilePath, UInt32)])
    func givesADirectoryThePermissionsOfTheHidden(_ target: FilePath, _ permissions: UInt32) throws {
        let tree = try Tree()
        try Directory(opening: tree.fixture.lower.appending("etc")).setPermissions("deep", 0o750)
        let substitutes = try tree.place(ChrootSubstitute(target: target, content: .directory(permissions: nil)))
        let found = try Directory(opening: tree.fixture.lower).status(PathBytes(String(target.string.dropFirst())))
        #expect(found.permissions == permissions)
        try substitutes.remove()
    }

    /// Commands in a tree with a read-only copy in `/m`, an own directory in `/m/own`, and a read-only file `/f`; the
    /// path that is found to be changed.
    static let writes: [(String, FilePath?)] = [
        ("cat m/d/a f > /dev/null; ls -lR m; cp -a m/d copy; ln -s /m/d/a link", nil),
        ("echo x > m/own/x; mkdir m/own/y; rm -r m/own/y", nil),
        ("echo x >> m/d/a", "/m/d/a"), ("echo x > m/d/new", "/m/d"), ("rm m/d/a", "/m/d"),
        ("chmod 600 m/d/a", "/m/d/a"),
        ("mv m/d/a m/d/z", "/m/d"), ("touch -d @1 m/d/a", "/m/d/a"), ("ln m/d/a hard", "/m/d/a"),
        ("chown 0:0 m/d", "/m/d"), ("mv m gone && cp -a gone m", "/m"), ("rm -r m", "/m"), ("mkdir m/x", "/m"),
        ("echo x > m/d/a && touch -r m/d/s m/d/a", "/m/d/a"), ("rm -r m/own && mkdir m/own", "/m"),
        ("echo x > f", "/f"), ("rm f", "/f"), ("echo other > g && mv g f", "/f"),
    ]

    @Test(arguments: writes) func findsWritesToWhatIsReadOnly(_ script: String, _ changed: FilePath?) throws {
        let tree = try Tree()
        tree.run("mkdir -p src/d && echo 1 > src/d/a && ln -s a src/d/s")
        let substitutes = try tree.place(
            ChrootSubstitute(target: "/m", content: .copy(tree.fixture.path.appending("src")), isReadOnly: true),
            ChrootSubstitute(target: "/m/own", content: .directory(permissions: nil)),
            ChrootSubstitute(
                target: "/f", content: .file(content: [1], permissions: 0o644, owner: 0, group: 0), isReadOnly: true))
        let start = try tree.waitForTick()
        tree.run("cd lower && { \(script); } > /dev/null")
        #expect(try substitutes.changedReadOnly(since: start) == changed)
        try substitutes.remove()
    }

    @Test func copiesAndLinks() throws {
        let tree = try Tree()
        tree.run("mkdir -p src/d && echo 1 > src/d/a && ln src/d/a src/d/b && ln -s a src/d/s && chown 5:6 src/d/a")
        tree.run("mkdir gift && echo g > gift/g")
        let root = try Directory(opening: tree.fixture.path)
        try root.makeNode("socket", .socket, permissions: 0o600)
        let substitutes = try tree.place(
            ChrootSubstitute(target: "/copy", content: .copy(tree.fixture.path.appending("src"))),
            ChrootSubstitute(target: "/gift", content: .moved(tree.fixture.path.appending("gift"))),
            ChrootSubstitute(target: "/run/agent", content: .socket(tree.fixture.path.appending("socket"))))
        let copied = try root.status("lower/copy/d/a")
        #expect((copied.owner, copied.group, copied.links) == (5, 6, 2))
        #expect(try root.status("lower/copy/d/b").inode == copied.inode)
        #expect(try root.status("lower/run/agent").inode == root.status("socket").inode)
        #expect(try tree.text("lower/gift/g") == "g\n")
        tree.run("echo 2 > lower/copy/d/a")
        try substitutes.remove()
        #expect(try tree.text("src/d/a") == "1\n")
        #expect(try root.statusIfExists("gift") == nil)
        #expect(try root.status("socket").type == .socket)
    }
}
