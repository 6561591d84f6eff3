import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@testable import lamina

@Suite struct PolicyReportTests {
    /// An image with a setuid program, a file that is there twice, and a hostile name.
    private static let image: InspectedImage = {
        func file(_ path: PathBytes, _ size: Int64, mode: UInt32 = 0o644, hash: UInt64 = 1) -> LayerEntry {
            LayerEntry(path: path, kind: .regular, permissions: mode, size: size, contentHash: hash)
        }
        let layers = [
            [file("bin/busybox", 9_980_000, mode: 0o4755), file("etc/passwd", 340)],
            [
                file(PathBytes(Array("srv/\u{1b}[31mred\nname".utf8) + [0xff]), 1), file("srv/data", 9_000_000),
                file("etc/passwd", 360, hash: 2),
            ],
        ]
        let inputs = layers.enumerated().map { index, entries in
            AnalyzedLayerInput(
                diffID: DiffID(Digest(of: "layer \(index)")), fileList: FileList(entries, tarSize: 10_240))
        }
        return InspectedImage(config: ImageConfig(platform: .host), layers: inputs, contents: NoContents())
    }()

    /// Layers without any bytes.
    private struct NoContents: LayerContents {
        func directory(of layer: Int) throws -> FilePath? { nil }
        func blob(of layer: Int) throws -> (any ByteStream)? { nil }
    }

    private func report(_ rules: [String: String]) throws -> PolicyReport {
        let image = Self.image
        var policy = Policy()
        for (name, value) in rules { try policy.set(name, .text(value)) }
        return PolicyReport(
            name: "app|<1>", analysis: image.analysis, evaluation: try PolicyEvaluation(policy, for: image))
    }

    private let broken = [
        "setuid-files": "forbidden", "forbidden-paths": "/srv/*red*", "lowestEfficiency": "1",
        "highestWastedBytes": "off",
    ]

    @Test func theTableIsLikeDives() throws {
        let lines = try report(broken).lines
        #expect(lines[0] == "Analysis:")
        #expect(lines.contains("  efficiency: 99.99 %"))
        #expect(
            lines.contains { $0.hasPrefix("  FAIL: lowestEfficiency: image efficiency is too low (efficiency=0.9999") })
        #expect(lines.contains("  SKIP: highestWastedBytes: rule disabled"))
        #expect(lines.contains("  PASS: highestUserWastedPercent"))
        #expect(lines.contains("    /bin/busybox (layer 1)"))
        #expect(lines.contains(#"    /srv/\x1b[31mred\nname\xff (layer 2)"#))
        #expect(lines.last == "FAIL [pass:1 fail:3 skip:1]")
        #expect(try report([:]).lines.last == "PASS [pass:2 fail:0 skip:1]")
    }

    @Test func junitEscapesForeignText() throws {
        let text = try report(broken).junit
        #expect(text.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>"))
        #expect(
            text.contains("<testsuite name=\"lamina analyze app|&lt;1&gt;\" tests=\"5\" failures=\"3\" skipped=\"1\""))
        #expect(text.contains("<skipped message=\"rule disabled\"/>"))
        #expect(
            text.contains(
                #"<failure message="files are at forbidden paths">/srv/\x1b[31mred\nname\xff (layer 2)</failure>"#))
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test func markdownEscapesForeignText() throws {
        let text = try report(broken).markdown
        #expect(text.hasPrefix("### ❌ app\\|\\<1\\>\n"))
        #expect(text.contains("| setuid-files | fail | files have the setuid or setgid bit |"))
        #expect(text.contains(#"- /srv/\\x1b\[31mred\\nname\\xff \(layer 2\)"#))
        #expect(try report([:]).markdown.hasPrefix("### ✅"))
    }

    @Test func sarifNamesRulesAndPlaces() throws {
        let document = try report(broken).sarif(version: "1.2.3")
        let run = try #require(document["runs"]?.array?.first)
        let rules = try #require(run["tool"]?["driver"]?["rules"]?.array)
        #expect(run["tool"]?["driver"]?["version"] == .string("1.2.3"))
        let results = try #require(run["results"]?.array)
        #expect(results.count == 3)
        for result in results {
            let index = try #require(result["ruleIndex"]?.integer)
            #expect(rules[Int(index)]["id"] == result["ruleId"])
        }
        let uris = results.map {
            $0["locations"]?.array?.first?["physicalLocation"]?["artifactLocation"]?["uri"]?.string
        }
        #expect(uris == ["app%7C%3C1%3E", "bin/busybox", "srv/%1B%5B31mred%0Aname%FF"])
        #expect(try report([:]).sarif(version: "").text().contains("\"results\":[]"))
    }

    @Test func theDocumentHasTheAnalysisAndTheRules() throws {
        let document = try report(broken).json(pathLimit: 1)
        #expect(document["evaluation"]?["passes"] == .bool(false))
        #expect(document["paths"]?.array?.count == 1)
        let rule = document["evaluation"]?["rules"]?.array?.first { $0["rule"] == .string("setuid-files") }
        #expect(rule?["status"] == .string("fail"))
        #expect(rule?["findings"]?.array?.first?["path"] == .string("/bin/busybox"))
        #expect(rule?["findings"]?.array?.first?["layer"] == .integer(0))
    }
}
