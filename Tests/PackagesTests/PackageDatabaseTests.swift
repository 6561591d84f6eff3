import Packages
import Testing

struct PackageDatabaseTests {
    private static let dpkg = """
        Package: libc6
        Status: install ok installed
        Maintainer: GNU Libc Maintainers <a@b>
        Architecture: amd64
        Source: glibc
        Version: 2.36-9
        Description: libraries
         Package: not-this-one
        Conffiles:
         /etc/x 123

        Package: old
        Status: deinstall ok config-files
        Version: 1

        Package: perl-base
        Status: hold ok installed
        Architecture: amd64
        Source: perl (5.36.0-7)
        Version: 5.36.0-7+deb12u1

        Package: distroless
        Version: 3
        """

    @Test func `dpkg's status names what is installed`() {
        let packages = PackageDatabase.packages(of: .dpkg, in: Array(Self.dpkg.utf8))
        #expect(packages.map(\.name) == ["libc6", "perl-base", "distroless"])
        #expect(packages[0].source == .init(name: "glibc"))
        #expect(packages[0].maintainer == "GNU Libc Maintainers <a@b>")
        #expect(packages[1].source == .init(name: "perl", version: "5.36.0-7"))
        #expect(packages[2].source == nil && packages[2].architecture.isEmpty)
    }

    @Test func `apk's database names what is installed`() {
        let text = """
            C:Q1abc=
            P:musl
            V:1.2.4-r2
            A:x86_64
            L:MIT
            o:musl
            F:lib
            R:libc.musl-x86_64.so.1
            Z:Q1x=

            P:libcrypto3
            V:3.1.4-r5
            A:x86_64
            L:Apache-2.0
            o:openssl

            P:.build-deps
            V:20240101

            """
        let packages = PackageDatabase.packages(of: .apk, in: Array(text.utf8))
        #expect(packages.map(\.name) == ["musl", "libcrypto3"])
        #expect(packages.map(\.license) == ["MIT", "Apache-2.0"])
        #expect(packages[0].source == nil)
        #expect(packages[1].source == .init(name: "openssl"))
    }

    @Test(arguments: [
        "", "\n\n", "garbage", "Package:\nVersion: 1\n", "Package: a\n", "Version: 1\n", "P:a\nV:\n", ":\n:\n",
        "Package: a\r\n\r\nVersion: 1\r\n",
    ])
    func `what has no name and version is no package`(_ text: String) {
        for manager in [InstalledSoftware.Manager.dpkg, .apk] {
            #expect(PackageDatabase.packages(of: manager, in: Array(text.utf8)).isEmpty)
        }
    }

    @Test func `random bytes are no packages, and do no harm`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let bytes = (0..<500).map { _ in UInt8.random(in: 0...127, using: &generator) }
            for manager in [InstalledSoftware.Manager.dpkg, .apk] {
                _ = PackageDatabase.packages(of: manager, in: bytes)
            }
            _ = Distribution(osRelease: bytes)
        }
    }

    @Test(arguments: [
        ("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n", "debian-12"), ("ID='arch'\n", "arch"),
        ("# ID=a\nID=alpine\nVERSION_ID=3.19.1", "alpine-3.19.1"),
    ])
    func `os-release names the distribution`(_ text: String, _ label: String) throws {
        #expect(try #require(Distribution(osRelease: Array(text.utf8))).label == label)
    }

    @Test(arguments: ["", "NAME=x", "ID=", "ID=\"\"", "ID=a b"])
    func `a file without an ID names none`(_ text: String) {
        #expect(Distribution(osRelease: Array(text.utf8)) == nil)
    }
}
