import Comparison
import Inspector
import Layers
import Linux
import OCI
import Testing

@Suite struct ImageDifferenceTests {
    private static let base: [MemoryFile] = [
        .file("a", "first"), .file("b", "second"), .other(.directory, "d"), .file("d/x", "xx"),
        .other(.symlink, "l", to: "a"),
    ]

    /// `PATH CHANGE CAUSES SIZE` of each file.
    private func files(_ difference: ImageDifference) -> [String] {
        difference.files.map { file in
            let causes = file.causes.map(\.rawValue).joined(separator: ",")
            return "\(file.path) \(file.change) \(causes) \(file.sizeChange)"
        }
    }

    @Test func equalImagesDoNotDiffer() throws {
        let difference = try ImageDifference(image([Self.base]), image([Self.base]))
        #expect(difference.isEmpty && difference.commonLayers == 1 && difference.files.isEmpty)
        #expect(difference.tally.added + difference.tally.changed + difference.tally.timeOnly == 0)
    }

    @Test(
        arguments: [
            (MemoryFile.file("a", "FIRST"), "a changed content 0"), (.file("a", "longer one"), "a changed content 5"),
            (.file("a", "first", mode: 0o600), "a changed mode 0"),
            (.file("a", "first", owner: 7), "a changed owner 0"),
            (.file("a", "first", time: 2), "a changed time 0"),
            (.file("a", "x", mode: 0o600, owner: 7, time: 2), "a changed content,mode,owner,time -4"),
            (.other(.whiteout, "a"), "a removed  -5"), (.file("new", "1234567"), "new added  7"),
            (.other(.symlink, "a", to: "b"), "a changed kind,mode,time -5"),
            (.other(.symlink, "l", to: "b"), "l changed target 0"),
        ])
    func aFileDiffersByItsCauses(_ change: MemoryFile, _ expected: String) throws {
        let difference = try ImageDifference(image([Self.base]), image([Self.base, [change]]))
        #expect(files(difference) == [expected])
        #expect(difference.commonLayers == 1 && !difference.isEmpty)
        // The same files in one layer differ in the same way.
        let back = try ImageDifference(image([Self.base, [change]]), image([Self.base]))
        #expect(back.tally.added == difference.tally.removed && back.tally.sizeChange == -difference.tally.sizeChange)
    }

    @Test func timesCanBeIgnored() throws {
        let later = Self.base.map { file in
            var file = file
            file.entry.modified = FileTime(seconds: 9999)
            return file
        }
        let old = try image([Self.base]) { $0.created = Timestamp(seconds: 1) }
        let new = try image([later]) { $0.created = Timestamp(seconds: 2) }
        let difference = try ImageDifference(old, new)
        #expect(difference.tally.timeOnly == 5 && difference.tally.changed == 0)
        #expect(difference.config.map(\.field) == ["created"])
        let ignoring = try ImageDifference(old, new, ignoresTimes: true)
        #expect(ignoring.files.isEmpty && ignoring.config.isEmpty && ignoring.commonLayers == 0)
    }

    @Test func aHardLinkIsTheFileThatItLeadsTo() throws {
        let old = try image([[.file("a", "same"), .other(.hardLink, "b", to: "a")]])
        let new = try image([[.file("b", "same"), .other(.hardLink, "a", to: "b")]])
        #expect(files(try ImageDifference(old, new)).isEmpty)
        let apart = try image([[.file("a", "same"), .file("b", "other")]])
        #expect(files(try ImageDifference(old, apart)) == ["b changed content 1"])
    }

    @Test func differencesBelongToTheLayersThatMakeThem() throws {
        let origins = [nil, LayerOrigin(lines: 2...3, text: "RUN x")]
        let old = try image([Self.base, [.file("only-old", "123")]], named: "old")
        let new = try image(
            [Self.base, [.file("c", "12345"), .other(.whiteout, "b")], [.file("a", "f")]], named: "new",
            origins: origins)
        let difference = try ImageDifference(old, new)
        #expect(
            difference.steps.map { "\($0.side) \($0.layer) \($0.tally.added) \($0.tally.removed) \($0.tally.changed)" }
                == ["old 1 0 1 0", "new 1 1 1 0", "new 2 0 0 1"])
        #expect(difference.steps.map(\.tally.sizeChange) == [-3, -1, -4])
        #expect(difference.isShared(.new, 0) && !difference.isShared(.old, 1))
        #expect(difference.json["new"]?["layers"]?.array?[1]["lines"]?.string == "2-3")
    }

    @Test func configsDifferByField() throws {
        let old = try image([Self.base]) { config in
            config.config.environment = ["PATH=/bin", "A=1", "GONE=x"]
            config.config.labels = ["one": "1"]
            config.config.command = ["sh"]
        }
        let new = try image([Self.base]) { config in
            config.config.environment = ["A=2=3", "PATH=/bin"]
            config.config.labels = ["one": "1", "two": "2"]
            config.config.command = ["sh", "-l"]
            config.config.exposedPorts = ["80/tcp"]
        }
        let difference = try ImageDifference(old, new)
        #expect(
            difference.config.map { "\($0.field) \($0.old?.text() ?? "-") \($0.new?.text() ?? "-")" } == [
                #"config.Env.A "1" "2=3""#, #"config.Env.GONE "x" -"#, #"config.Cmd ["sh"] ["sh","-l"]"#,
                #"config.ExposedPorts.80/tcp - {}"#, #"config.Labels.two - "2""#,
            ])
    }

    @Test func packagesDifferByVersion() throws {
        func status(_ packages: [(String, String, Int)]) -> MemoryFile {
            .file(
                "var/lib/dpkg/status",
                packages.map {
                    "Package: \($0.0)\nStatus: install ok installed\nVersion: \($0.1)\nInstalled-Size: \($0.2)\n"
                }.joined(separator: "\n"))
        }
        let old = try image([[status([("libc6", "2.36", 100), ("old", "1", 5), ("same", "3", 1)])]])
        let new = try image([
            [status([("libc6", "2.37", 130), ("new", "1", 7), ("same", "3", 1)])],
            [.file("usr/lib/python3/dist-packages/pip-23.0.1.dist-info/METADATA", "Name: pip\nVersion: 23.0.1\n")],
        ])
        let difference = try ImageDifference(old, new)
        #expect(
            difference.packages.map { "\($0.manager) \($0.name) \($0.old) \($0.new) \($0.sizeChange ?? -1)" } == [
                #"dpkg libc6 ["2.36"] ["2.37"] 30720"#, #"dpkg new [] ["1"] 7168"#, #"dpkg old ["1"] [] -5120"#,
                #"python pip [] ["23.0.1"] -1"#,
            ])
        let layers = ImageDifference.layersToRead(old, new)
        #expect(layers.old == [0] && layers.new == [0, 1])
        #expect(ImageDifference.layersToRead(old, old).old.isEmpty)
    }

    @Test func aLayerChangesPackages() throws {
        func status(_ text: String) -> MemoryFile { .file("lib/apk/db/installed", text) }
        let image = try image([
            [status("P:a\nV:1\nI:10\n\nP:b\nV:1\n")], [.file("x", "")], [status("P:a\nV:2\nI:4\n")],
            [.other(.whiteout, "lib")],
        ]).image
        let changes = try (0..<4).map { layer in
            try PackageDifference.changes(of: layer, in: image).map { "\($0.name) \($0.old) \($0.new)" }
        }
        #expect(
            changes == [
                [#"a [] ["1"]"#, #"b [] ["1"]"#], [], [#"a ["1"] ["2"]"#, #"b ["1"] []"#], [#"a ["2"] []"#],
            ])
    }

    @Test func theDocumentIsWholeForHostileNames() throws {
        let hostile = PathBytes(Array("</script>\"\u{1b}[31m".utf8) + [0xff])
        let difference = try ImageDifference(image([[]]), image([[.file(hostile, "x")]]))
        let parsed = try JSON(parsing: difference.json.text())
        #expect(parsed["files"]?.array?.last?["path"]?.string == "/" + hostile.text)
        #expect(parsed["files"]?.array?.last?["old"] == .null)
        #expect(parsed["schema"]?.integer == 1 && parsed["isEmpty"]?.bool == false)
    }
}
