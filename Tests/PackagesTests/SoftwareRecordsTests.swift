import Inspector
import Layers
import Linux
import Packages
import Testing

@Suite struct SoftwareRecordsTests {
    private func file(_ path: PathBytes, _ content: String) -> (LayerEntry, String) {
        (LayerEntry(path: path, kind: .regular, permissions: 0o644), content)
    }

    private func packages(_ files: [(LayerEntry, String)]...) throws -> [String] {
        let image = try makeImage(files)
        return try SoftwareRecords(image, after: files.count - 1).packages().map {
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

    @Test func distributionsOfPythonAreKnownByTheirMetadata() throws {
        #expect(
            try packages([
                file(
                    "opt/venv/site-packages/ruamel.yaml-0.18.6.dist-info/METADATA",
                    "Name: ruamel.yaml\nVersion: 0.18.6\n"),
                file("opt/venv/site-packages/nothing.dist-info/METADATA", "\nName: a\nVersion: 1\n"),
                file("src/METADATA", "Name: other\nVersion: 1\n"),
            ]) == ["python ruamel.yaml 0.18.6 -"])
    }

    @Test func aLaterLayerCountsAndARemovedDatabaseIsNone() throws {
        let first = file("var/lib/dpkg/status", "Package: a\nVersion: 1\n")
        let second = file("var/lib/dpkg/status", "Package: a\nVersion: 2\n")
        let image = try makeImage([[first], [second], [(LayerEntry(path: "var/lib/dpkg", kind: .whiteout), "")]])
        let records = (0..<3).map { SoftwareRecords(image, after: $0) }
        #expect(try records.map { try $0.packages().map(\.version) } == [["1"], ["2"], []])
        #expect(!records[0].selection(against: records[1]).isEmpty)
        #expect(records[0].selection(against: records[0]).isEmpty)
    }

    @Test func onlyWhatDiffersIsRead() throws {
        let module = file("app/node_modules/a/package.json", #"{"name":"a","version":"1"}"#)
        let other = file("app/node_modules/b/package.json", #"{"name":"b","version":"1"}"#)
        let status = file("var/lib/dpkg/status", "Package: a\nVersion: 1\n")
        let image = try makeImage([[module, status], [other]])
        let records = (0..<2).map { SoftwareRecords(image, after: $0) }
        let selection = records[0].selection(against: records[1])
        #expect(selection.oldLayers == [0] && selection.newLayers == [0, 1])
        let packages = try records[0].packages(of: selection, against: records[1])
        #expect(packages.old.map(\.name) == ["a"] && packages.new.map(\.name) == ["a", "b"])
        #expect(packages.new.allSatisfy { $0.manager == .npm })
    }

    @Test(arguments: ["", "\n\n\n", "Package", ":", "Package:\nVersion:\n", "\0\u{ff}\n:::\n", "Version: 1"])
    func brokenRecordsHaveNoPackages(_ text: String) throws {
        #expect(try packages([file("var/lib/dpkg/status", text), file("lib/apk/db/installed", text)]) == [])
    }
}
