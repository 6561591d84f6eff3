import Inspector
import Layers
import Linux
import Testing

@Suite struct PackageRecordsTests {
    private func file(_ path: PathBytes, _ content: String) -> (LayerEntry, String) {
        (LayerEntry(path: path, kind: .regular, permissions: 0o644), content)
    }

    private func packages(_ files: [(LayerEntry, String)]...) throws -> [String] {
        let image = try makeImage(files)
        return try PackageRecords(image, after: files.count - 1).packages().map {
            "\($0.manager) \($0.name) \($0.version) \($0.size.map(String.init) ?? "-")"
        }
    }

    @Test func theStatusOfDpkgIsRead() throws {
        let status = """
            Package: adduser
            Status: install ok installed
            Installed-Size: 686
            Conffiles:
             /etc/deluser.conf 773fb95e98a27947de4a95abb3d3f2a2
            Version: 3.134
            Description: add and remove users
             Package: not-a-field

            Package: gone
            Status: deinstall ok config-files
            Version: 1

            Version: 2
            Package: odd\r
            Installed-Size: 99999999999999999999
            """
        #expect(
            try packages([file("var/lib/dpkg/status", status)]) == [
                "dpkg adduser 3.134 702464", "dpkg odd 2 -",
            ])
    }

    @Test func packagesWithAFileEachAreRead() throws {
        #expect(
            try packages(
                [file("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\n")],
                [
                    file("var/lib/dpkg/status.d/tz", "Package: tzdata\nVersion: 2024a\n"),
                    file("var/lib/dpkg/status.d/tz.md5sums", "Package: no\nVersion: no\n"),
                ]) == ["dpkg base-files 12 -", "dpkg tzdata 2024a -"])
    }

    @Test func theDatabaseOfApkIsReadThroughLinks() throws {
        let database = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nI:667648\n\nP:zlib\nV:1.3\nF:lib\nR:x\n"
        let link = (LayerEntry(path: "lib", kind: .symlink, linkTarget: "usr/lib"), "")
        #expect(
            try packages([link, file("usr/lib/apk/db/installed", database)]) == [
                "apk musl 1.2.5-r0 667648", "apk zlib 1.3 -",
            ])
    }

    @Test func distributionsOfPythonAreKnownByTheirDirectories() throws {
        func directory(_ path: PathBytes) -> (LayerEntry, String) { (LayerEntry(path: path, kind: .directory), "") }
        #expect(
            try packages([
                directory("opt/venv/lib/python3/site-packages/ruamel.yaml-0.18.6.dist-info"),
                directory("opt/venv/lib/python3/site-packages/nodash.dist-info"),
                directory("src/other-1.dist-info"),
            ]) == ["python ruamel.yaml 0.18.6 -"])
    }

    @Test func aLaterLayerCountsAndARemovedDatabaseIsNone() throws {
        let first = file("var/lib/dpkg/status", "Package: a\nVersion: 1\n")
        let second = file("var/lib/dpkg/status", "Package: a\nVersion: 2\n")
        let image = try makeImage([[first], [second], [(LayerEntry(path: "var/lib/dpkg", kind: .whiteout), "")]])
        let records = (0..<3).map { PackageRecords(image, after: $0) }
        #expect(try records.map { try $0.packages().map(\.version) } == [["1"], ["2"], []])
        #expect(!records[0].isEqual(to: records[1]) && records[0].isEqual(to: records[0]))
    }

    @Test(arguments: ["", "\n\n\n", "Package", ":", "Package:\nVersion:\n", "\0\u{ff}\n:::\n", "Version: 1"])
    func brokenRecordsHaveNoPackages(_ text: String) throws {
        #expect(try packages([file("var/lib/dpkg/status", text), file("lib/apk/db/installed", text)]) == [])
    }
}
