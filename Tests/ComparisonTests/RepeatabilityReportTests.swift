import Comparison
import Inspector
import Layers
import Linux
import OCI
import Testing

@Suite struct RepeatabilityReportTests {
    private static let origins = [
        LayerOrigin(lines: 1...1, text: "FROM a", isBase: true), LayerOrigin(lines: 2...3, text: "RUN x"),
    ]

    private static func groups(_ old: [MemoryFile], _ new: [MemoryFile]) throws -> [RepeatabilityReport.Group] {
        let base = [MemoryFile.file("base", "x")]
        let difference = try ImageDifference(
            image([base, old], origins: origins), image([base, new], origins: origins))
        return try RepeatabilityReport(
            difference, variations: [.init(.hostName, old: "one-host", new: "other-host")]
        ).groups
    }

    private static func causes(_ groups: [RepeatabilityReport.Group]) -> [String] {
        groups.map { "\($0.explanation.cause.rawValue): \($0.names.joined(separator: ", "))" }
    }

    @Test func metadataTellTheCause() throws {
        let groups = try Self.groups(
            [.file("time", "a", time: 1), .file("mode", "a", mode: 0o644), .file("owner", "a", owner: 0)],
            [.file("time", "a", time: 2), .file("mode", "a", mode: 0o664), .file("owner", "a", owner: 7)])
        #expect(Self.causes(groups) == ["time: /time", "owner: /owner", "mode: /mode"])
        #expect(groups.allSatisfy { $0.layer == 2 && $0.origin?.lineText == "2-3" })
    }

    @Test func contentsTellTheCauseAndATimeBesidesIsNone() throws {
        let groups = try Self.groups(
            [.file("host", "on one-host", time: 1), .file("log", "12:30", time: 1), .file("any", "abc", time: 1)],
            [.file("host", "on other-host", time: 2), .file("log", "12:31", time: 2), .file("any", "x", time: 2)])
        #expect(Self.causes(groups) == ["time: /log", "host name: /host", "content: /any"])
    }

    @Test func otherNamesForOneFileAreARandomName() throws {
        let groups = try Self.groups(
            [.file("tmp/name-aaaa", "1"), .file("tmp/gone", "x"), .file("var/log/a.1", "l")],
            [.file("tmp/name-bbbb", "2"), .file("tmp/came-later", "y"), .file("var/log/a.2", "l")])
        #expect(
            Self.causes(groups) == [
                "random: /tmp/name-aaaa → name-bbbb", "cache file: /var/log/a.1 → a.2",
                "content: /tmp/came-later (only in the second image), /tmp/gone (only in the first image)",
            ])
    }

    @Test func timesOfTheImageAreToldFromOtherFieldsOfTheConfig() throws {
        let old = try image([[.file("a", "")]]) {
            $0.created = Timestamp(seconds: 1)
            $0.config.user = "you"
        }
        let new = try image([[.file("a", "")]]) {
            $0.created = Timestamp(seconds: 2)
            $0.config.user = "me"
        }
        let groups = try RepeatabilityReport(ImageDifference(old, new)).groups
        #expect(Self.causes(groups) == ["time: created", "content: config.User"])
        #expect(groups.allSatisfy { $0.layer == nil })
    }

    @Test func equalImagesHaveNoDifferences() throws {
        #expect(try Self.groups([.file("a", "x")], [.file("a", "x")]).isEmpty)
    }

    @Test func onlyTheBytesOfChangedFilesAreRead() throws {
        let old = try image([[.file("a", "x")], [.file("b", "y")], [.file("c", "z")]])
        let new = try image([[.file("a", "x")], [.file("b", "Y")], [.file("c", "z", time: 3)]])
        let layers = try RepeatabilityReport.layersToRead(ImageDifference(old, new))
        #expect(layers.old == [1] && layers.new == [1])
    }
}
