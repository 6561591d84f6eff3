import Inspector
import Layers
import Linux
import OCI
import Pages
import SystemPackage
import Testing

/// Layers that nobody reads.
private struct NoContents: LayerContents {
    func directory(of layer: Int) throws -> FilePath? { nil }
    func blob(of layer: Int) throws -> (any ByteStream)? { nil }
}

@Suite struct AnalysisPageTests {
    private func page(_ layers: [[LayerEntry]], named name: String = "app", command: String = "RUN x") throws -> String
    {
        let inputs = layers.enumerated().map { index, entries in
            AnalyzedLayerInput(
                diffID: DiffID(Digest(of: "\(index)")), fileList: FileList(entries, tarSize: 1024), createdBy: command)
        }
        let image = InspectedImage(
            config: ImageConfig(platform: .host), layers: inputs, contents: NoContents())
        let origins = layers.map { _ in LayerOrigin(lines: 3...4, text: command) }
        return String(decoding: try AnalysisPage(name: name, image: image, origins: origins).encoded(), as: UTF8.self)
    }

    private static let hostile = "</script><script>alert(1)</script>\"><img src=x onerror=alert(2)>{{TITLE}}"

    /// All that comes from an image is packed or escaped, and the policy lets nothing else run.
    @Test func hostileNamesAreNoMarkup() throws {
        let entries = [LayerEntry(path: PathBytes(Self.hostile), kind: .regular, size: 5)]
        let plain = try page([[LayerEntry(path: "a", kind: .regular, size: 5)]])
        let page = try page([entries], named: Self.hostile, command: Self.hostile)
        for tag in ["<script", "</script", "<img", "<style", "<meta"] {
            #expect(page.ranges(of: tag).count == plain.ranges(of: tag).count, "\(tag)")
        }
        #expect(page.contains("<h1>&lt;/script&gt;&lt;script&gt;alert(1)"))
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("unsafe-inline") && !page.contains("http://") && !page.contains("https://"))
    }

    @Test func aPageOfAHundredThousandFilesIsUnderThreeMegabytes() throws {
        var state: UInt64 = 1
        func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        let entries = (0..<100_000).map { index in
            LayerEntry(
                path: PathBytes(
                    "usr/share/package\(index / 300)/part\(index / 25)/name-\(String(next(1 << 30), radix: 36)).ext"),
                kind: .regular, size: Int64(next(1 << 20)))
        }
        let size = try page([entries]).utf8.count
        #expect(size < 3_000_000 && size > 500_000)
    }

    @Test func imagesWithoutFilesOrLayersHavePages() throws {
        #expect(try page([]).contains("<h1>app</h1>"))
        #expect(try page([[]]).contains("<h1>app</h1>"))
    }
}
