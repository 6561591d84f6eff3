import Layers
import Linux
import Packages
import SystemPackage
import Testing

/// Files of an image and the packages that own them.
@Suite struct PackageFilesTests {
    /// The owners as `path=name` lines; a name that ends with `->` is a link to what follows.
    private static func owners(_ files: [(String, [UInt8])]) throws -> [String] {
        let entries = files.map { name, bytes in
            let parts = name.split(separator: ">").map(String.init)
            guard parts.count == 2 else {
                return (LayerEntry(path: PathBytes(name), kind: .regular, permissions: 0o644), bytes)
            }
            return (LayerEntry(path: PathBytes(parts[0]), kind: .symlink, linkTarget: PathBytes(parts[1])), bytes)
        }
        return try PackageFiles.owners(in: makeImage(bytes: [entries])).map { "\($0.key.text)=\($0.value)" }.sorted()
    }

    @Test func listsOfDpkgNameFilesByTheSourceOfTheirPackage() throws {
        let status = """
            Package: one
            Status: install ok installed
            Source: both (1.2)
            Version: 1

            Package: two
            Status: install ok installed
            Version: 1

            """
        let owners = try Self.owners([
            ("lib>usr/lib", []), ("usr/lib/a", []), ("var/lib/dpkg/status", Array(status.utf8)),
            // The list says where a file was before /usr was merged.
            ("var/lib/dpkg/info/one:amd64.list", Array("/.\n/lib/a\n/etc/shared\n".utf8)),
            ("var/lib/dpkg/info/two.list", Array("/etc/shared\n/usr/lib/b\n".utf8)),
            ("var/lib/dpkg/info/two.md5sums", Array("no list".utf8)),
        ])
        #expect(owners == [".=both", "etc/shared=both", "usr/lib/a=both", "usr/lib/b=two"])
    }

    @Test func imagesWithoutDpkgHaveSums() throws {
        let sum = String(repeating: "0", count: 32)
        let owners = try Self.owners([
            ("var/lib/dpkg/status.d/base", Array("Package: base\nVersion: 1\n".utf8)),
            ("var/lib/dpkg/status.d/base.md5sums", Array("\(sum)  etc/x\n\(sum)  usr/y z\n".utf8)),
        ])
        #expect(owners == ["etc/x=base", "usr/y z=base"])
    }

    @Test func theDatabaseOfApkNamesFilesByOrigin() throws {
        let database = """
            P:musl-utils
            V:1
            o:musl
            F:
            F:sbin
            R:ldconfig
            F:usr/bin
            R:getconf

            P:zlib
            V:1
            F:lib
            R:libz.so

            """
        let owners = try Self.owners([("lib/apk/db/installed", Array(database.utf8))])
        #expect(owners == ["lib/libz.so=zlib", "sbin/ldconfig=musl", "usr/bin/getconf=musl"])
    }

    @Test func theDatabaseOfRpmNamesFilesBySourceWithoutItsVersion() throws {
        let path = FilePath(#filePath).removingLastComponent().appending("../../testdata/packages/rpmdb.sqlite")
        let bytes = try OwnedDescriptor.open(path).readAll(limit: 1 << 20)
        let owners = try Self.owners([("var/lib/rpm/rpmdb.sqlite", bytes)])
        #expect(owners.count == 45 && owners.contains("usr/lib/beta/file=beta"), "\(owners)")
    }

    @Test func anImageWithoutPackagesHasNone() throws {
        #expect(try Self.owners([("etc/x", [])]) == [])
    }
}
