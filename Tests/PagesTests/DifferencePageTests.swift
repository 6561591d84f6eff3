import Comparison
import Inspector
import Layers
import Linux
import OCI
import Pages
import SystemPackage
import Testing

@Suite struct DifferencePageTests {
    private struct NoContents: LayerContents {
        func directory(of layer: Int) throws -> FilePath? { nil }
        func blob(of layer: Int) throws -> (any ByteStream)? { nil }
    }

    private func page(_ name: String, _ entries: [LayerEntry]) throws -> String {
        func image(_ entries: [LayerEntry]) -> ComparedImage {
            ComparedImage(
                name: name,
                image: InspectedImage(
                    config: ImageConfig(platform: .host),
                    layers: [AnalyzedLayerInput(diffID: .empty, fileList: FileList(entries, tarSize: 0))],
                    contents: NoContents()))
        }
        let difference = try ImageDifference(image([]), image(entries))
        return String(decoding: try DifferencePage(difference).encoded(), as: UTF8.self)
    }

    @Test func hostileNamesAreNoMarkup() throws {
        let hostile = "</script><script>alert(1)</script>\"><img src=x onerror=alert(2)>"
        let plain = try page("a", [])
        let page = try page(hostile, [LayerEntry(path: PathBytes(hostile), kind: .regular, size: 3)])
        for tag in ["<script", "</script", "<img"] {
            #expect(page.ranges(of: tag).count == plain.ranges(of: tag).count, "\(tag)")
        }
        #expect(page.contains("&lt;img src=x onerror=alert(2)&gt; → "))
    }
}
