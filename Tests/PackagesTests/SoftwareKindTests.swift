import Diagnostics
import Inspector
import Layers
import Linux
import OCI
import Packages
import SystemPackage
import Testing

/// Packages of all kinds as files of images name them.
@Suite struct SoftwareKindTests {
    private static let folder = FilePath(#filePath).removingLastComponent().appending("../../testdata/packages")

    private static func fixture(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(folder.appending(name)).readAll(limit: 1 << 20)
    }

    private static func bill(_ files: [(String, [UInt8])]...) throws -> BillOfMaterials {
        let layers = files.map { layer in
            layer.map { (LayerEntry(path: PathBytes($0.0), kind: .regular, permissions: 0o755), $0.1) }
        }
        let image = try makeImage(bytes: layers)
        let lines = layers.indices.map { LayerOrigin(lines: ($0 + 2)...($0 + 2), text: "") }
        return try SoftwareScan(image).bill(
            named: "image", of: Digest(of: [1]), created: Timestamp(seconds: 0), tool: ("lamina", "1"), origins: lines)
    }

    private static func packages(_ path: String, _ bytes: [UInt8]) throws -> [String] {
        try bill([(path, bytes)]).items.map { "\($0.software.manager) \($0.software.name) \($0.software.version)" }
    }

    // MARK: rpm

    @Test func `rpm's database of SQLite names what is installed`() throws {
        let bill = try Self.bill([("usr/lib/sysimage/rpm/rpmdb.sqlite", try Self.fixture("rpmdb.sqlite"))])
        #expect(bill.items.map(\.software.name) == ["alpha", "beta", "gamma"])
        #expect(bill.items.map(\.software.version) == ["1.2-3.test", "2:1.2-3.test", "1.2-3.test"])
        let beta = bill.items[1].software
        #expect(beta.license == "MIT" && beta.vendor == "Fedora Project" && beta.architecture == "noarch")
        #expect(beta.source?.name == "beta-1.2-3.test.src.rpm" && beta.size == 2)
        #expect(
            bill.url(of: beta) == "pkg:rpm/beta@1.2-3.test?arch=noarch&epoch=2&upstream=beta-1.2-3.test.src.rpm")
    }

    /// A database of ndb with one header: a page of slots, then the block.
    private static func ndb(_ header: [UInt8]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> ($0 * 8) & 255) } }
        var file = Array("RpmP".utf8) + number(0) + number(1) + number(1) + [UInt8](repeating: 0, count: 16)
        file += Array("Slot".utf8) + number(1) + number(256) + number((header.count + 28) / 16)
        while file.count < 4096 { file += Array("Slot".utf8) + number(0) + number(0) + number(0) }
        return file + Array("BlbS".utf8) + number(1) + number(0) + number(header.count) + header
    }

    @Test func `rpm's own database names what is installed`() throws {
        #expect(try Self.packages("var/lib/rpm/Packages.db", Self.ndb(makeRPMHeader("name", "1"))) == ["rpm name 1-2"])
    }

    @Test func `a database of Berkeley DB is refused`() throws {
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes.replaceSubrange(12..<16, with: [0x61, 0x15, 0x06, 0x00])
        let error = #expect(throws: PackagesError.self) { try Self.packages("var/lib/rpm/Packages", bytes) }
        #expect(error?.code == .unsupported)
        #expect(error?.message == "'/var/lib/rpm/Packages' is a database of Berkeley DB, which is not read")
        // Comparisons do without.
        let entry = LayerEntry(path: "var/lib/rpm/Packages", kind: .regular, permissions: 0o644)
        #expect(try SoftwareRecords(makeImage(bytes: [[(entry, bytes)]]), after: 0).packages().isEmpty)
    }

    // MARK: Languages

    @Test(
        arguments: [
            ("a/x.egg-info", "Name: X\nVersion: 2\nLicense: UNKNOWN\n", ["python X 2"]),
            ("a/x.egg-info/PKG-INFO", "Metadata-Version: 1\nName: X\nVersion: 2\n\nName: Y\n", ["python X 2"]),
            ("a/x.dist-info/METADATA", "Version: 2\n", []), ("a/METADATA", "Name: X\nVersion: 2\n", []),
            (
                "a/node_modules/@s/n/package.json", #"{"name":"@s/n","version":"1.0.0","license":{"type":"MIT"}}"#,
                ["npm @s/n 1.0.0"]
            ),
            ("a/node_modules/n/lib/package.json", #"{"name":"x","version":"1.0.0"}"#, []),
            ("a/package.json", #"{"name":"x","version":"1.0.0"}"#, []),
            ("a/node_modules/n/package.json", #"{"name":"n","version":1}"#, []),
            ("a/node_modules/n/package.json", #"{"name":"#, []),
            (
                "usr/lib/ruby/specifications/rake-13.gemspec",
                "Gem::Specification.new do |s|\n  s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\n  s.licenses = [\"MIT\".freeze]\n",
                ["gem rake 13.0.6"]
            ),
            ("x/rake.gemspec", "s.name = \"rake\"\ns.version = \"1\"\n", []),
            (
                "gems/specifications/a.gemspec", "spec.name='a'\nspec.version = Gem::Version.new(\"2\")\n", ["gem a 2"]
            ),
            ("gems/specifications/a.gemspec", "s.rubyname = \"a\"\ns.version = VERSION\n", []),
            (
                "vendor/composer/installed.json", #"{"packages":[{"name":"a/b","version":"v1.0"},{"name":3},7]}"#,
                ["composer a/b v1.0"]
            ),
            (
                "vendor/composer/installed.json", #"[{"name":"a/b","version":"v1.0","license":["MIT"]}]"#,
                ["composer a/b v1.0"]
            ),
            ("vendor/composer/installed.json", "7", []),
        ] as [(String, String, [String])])
    func `files of languages name packages`(_ path: String, _ text: String, _ expected: [String]) throws {
        #expect(try Self.packages(path, Array(text.utf8)) == expected)
    }

    @Test func `archives in an archive of Java are read`() throws {
        #expect(
            try Self.packages("app/outer.jar", try Self.fixture("outer.jar")) == [
                "maven org.example:inner 1.5", "maven outer 7.0",
            ])
        #expect(try Self.packages("app/outer-8.1.war", try Self.fixture("outer.jar")).contains("maven outer 8.1"))
    }

    // MARK: Programs

    private static func goSection(_ modules: String) -> [UInt8] {
        func text(_ bytes: [UInt8]) -> [UInt8] {
            var length: [UInt8] = []
            var rest = bytes.count
            while rest >= 0x80 {
                length.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            return length + [UInt8(rest)] + bytes
        }
        let mark = [UInt8](repeating: 7, count: 16)
        let header = [0xff] + Array(" Go buildinf:".utf8) + [8, 2] + [UInt8](repeating: 0, count: 16)
        return header + text(Array("go1.22.3 X:nocoverageredesign".utf8)) + text(mark + Array(modules.utf8) + mark)
    }

    @Test func `a program of Go names its modules`() throws {
        let modules = [
            "path\texample.com/app", "mod\texample.com/app\t(devel)\t", "dep\tgithub.com/a/b\tv1.2.3\th1:x=",
            "dep\tgithub.com/c/d\tv1.0.0", "=>\tgithub.com/e/f/v2\tv2.0.0\th1:y=",
            "build\tvcs.revision=0123456789abcdef0123456789abcdef01234567", "build\tvcs.time=2024-05-06T07:08:09Z", "",
        ].joined(separator: "\n")
        #expect(
            try Self.packages("app", makeProgram([(".go.buildinfo", Self.goSection(modules))])) == [
                "go example.com/app v0.0.0-20240506070809-0123456789ab", "go github.com/a/b v1.2.3",
                "go github.com/e/f/v2 v2.0.0", "go stdlib 1.22.3",
            ])
    }

    /// Made by zlib from what cargo-auditable writes: a crate, one of the build alone, and the program's own.
    private static let crates: [UInt8] = [
        0x78, 0xda, 0x6d, 0x8f, 0x41, 0x0a, 0x03, 0x21, 0x0c, 0x45, 0xef, 0x92, 0xb5, 0x88, 0xb3, 0x1c,
        0xaf, 0x52, 0x66, 0x91, 0xc6, 0x50, 0x64, 0xac, 0x91, 0xa8, 0xdd, 0x0c, 0xde, 0xbd, 0xb6, 0x8b,
        0xd2, 0x0e, 0xdd, 0x3e, 0xfe, 0x7b, 0xf0, 0x0f, 0x28, 0x48, 0x3b, 0xde, 0xb8, 0x82, 0xbf, 0x1c,
        0x90, 0xf1, 0xce, 0xe0, 0xa1, 0xb2, 0x06, 0x06, 0x03, 0x0f, 0xd6, 0x1a, 0x25, 0x4f, 0xb2, 0x58,
        0x67, 0x97, 0x49, 0xaa, 0x74, 0xa5, 0xd7, 0x84, 0x14, 0x1b, 0x57, 0x1b, 0x05, 0x86, 0xf9, 0x78,
        0x44, 0x27, 0x69, 0x6a, 0xff, 0x25, 0x03, 0x7b, 0xcc, 0x61, 0xa2, 0x6b, 0x8f, 0x29, 0x7c, 0x37,
        0xb0, 0x94, 0x9f, 0x88, 0x3b, 0x47, 0x92, 0x10, 0xa6, 0x09, 0x54, 0xa4, 0x81, 0x6f, 0xda, 0xd9,
        0x40, 0xe0, 0xc2, 0x39, 0x70, 0xa6, 0xf8, 0x3e, 0xe2, 0xcc, 0xba, 0x6e, 0x63, 0x1b, 0x4f, 0x6c,
        0x8a, 0x46, 0x17,
    ]

    @Test func `a program of Rust names its crates`() throws {
        #expect(
            try Self.packages("app", makeProgram([(".dep-v0", Self.crates)])) == [
                "cargo app 0.1.0", "cargo serde 1.0.1",
            ])
    }

    // MARK: Lists

    @Test func `a package has the layer and the line that brought it`() throws {
        let path = "a/node_modules/n/package.json"
        let old = Array(#"{"name":"n","version":"1"}"#.utf8)
        let same = Array(#"{"version":"1","name":"n"}"#.utf8)
        let bill = try Self.bill([("x", [])], [(path, old)], [(path, same)])
        #expect(bill.items.map(\.origin?.lineText) == ["3"])
        let changed = try Self.bill([(path, old)], [(path, Array(#"{"name":"n","version":"2"}"#.utf8))])
        #expect(changed.items.map(\.origin?.lineText) == ["3"] && changed.items[0].software.version == "2")
    }

    @Test func `what a package of the distribution owns is not listed twice`() throws {
        let metadata = Array("Name: six\nVersion: 1.16\n".utf8)
        let list = Array("/.\n/usr/lib/python3/dist-packages/six-1.16.egg-info\n".utf8)
        func status(_ maintainer: String) -> [UInt8] {
            Array("Package: python3-six\nVersion: 1.16-4\nMaintainer: \(maintainer)\n".utf8)
        }
        func managers(_ maintainer: String) throws -> [String] {
            try Self.bill([
                ("usr/lib/python3/dist-packages/six-1.16.egg-info", metadata), ("usr/local/six.egg-info", metadata),
                ("var/lib/dpkg/info/python3-six.list", list), ("var/lib/dpkg/status", status(maintainer)),
            ]).items.map { "\($0.software.manager) \($0.path)" }
        }
        #expect(
            try managers("Debian <a@debian.org>") == [
                "dpkg /var/lib/dpkg/status", "python /usr/local/six.egg-info",
            ])
        #expect(try managers("Docker <support@docker.com>").count == 3)
    }

    // MARK: Hostile files

    @Test(arguments: 0..<8) func `broken files do no harm`(seed: UInt64) throws {
        let samples: [(String, [UInt8])] = [
            ("usr/lib/sysimage/rpm/rpmdb.sqlite", try Self.fixture("rpmdb.sqlite")),
            ("var/lib/rpm/Packages.db", Self.ndb(makeRPMHeader("name", "1"))),
            ("a/outer.jar", try Self.fixture("outer.jar")),
            ("go", makeProgram([(".go.buildinfo", Self.goSection("mod\ta\tv1\n"))])),
            ("rust", makeProgram([(".dep-v0", Self.crates)])),
            ("a/node_modules/n/package.json", Array(#"{"name":"n","version":"1"}"#.utf8)),
            ("g/specifications/a.gemspec", Array("s.name = \"a\"\ns.version = \"1\"\n".utf8)),
        ]
        var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(1, limit)
        }
        for (path, bytes) in samples {
            for _ in 0..<6 {
                var broken = bytes
                for _ in 0...random(6) {
                    // Headers are where numbers are.
                    let place = random(random(2) == 0 ? min(broken.count, 200) : broken.count)
                    switch random(4) {
                    case 0: broken[place] = UInt8(random(256))
                    case 1: broken[place] = 0xff
                    case 2: broken.removeLast(random(broken.count - 1))
                    default: for index in place..<min(broken.count, place + 8) { broken[index] = 0xff }
                    }
                }
                do { _ = try Self.packages(path, broken) } catch is PackagesError {}
            }
        }
    }
}
