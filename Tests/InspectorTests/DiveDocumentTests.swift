import Inspector
import Layers
import Linux
import OCI
import Testing

@Suite struct DiveDocumentTests {
    @Test func theDocumentIsDives() throws {
        func entry(_ kind: LayerEntry.Kind, _ path: PathBytes, _ mode: UInt32, _ target: PathBytes = "") -> LayerEntry {
            LayerEntry(
                path: path, kind: kind, permissions: mode, owner: 1, group: 2, size: kind == .regular ? 9 : 0,
                linkTarget: target)
        }
        let image = InspectedImage(
            config: ImageConfig(platform: .host),
            layers: [
                AnalyzedLayerInput(
                    diffID: .empty,
                    fileList: FileList(
                        [
                            entry(.regular, "a", 0o4755), entry(.directory, "d", 0o1777),
                            entry(.symlink, "l", 0o777, "a"),
                            entry(.hardLink, "h", 0o644, "a"), entry(.characterDevice, "c", 0o600),
                            entry(.fifo, "f", 0o600), entry(.regular, "gone", 0o600),
                        ], tarSize: 0), createdBy: "ADD x"),
                AnalyzedLayerInput(
                    diffID: .empty,
                    fileList: FileList(
                        [entry(.regular, "a", 0o755), entry(.whiteout, "gone", 0), entry(.opaque, "d", 0)], tarSize: 0)),
            ], contents: MemoryContents(blobs: []))
        let document = image.diveDocument
        let layers = try #require(document["layer"]?.array)
        let files = layers.map { layer in
            (layer["fileList"]?.array ?? []).map { file in
                let numbers = ["typeFlag", "size", "fileMode", "uid", "gid"].map { "\(file[$0]?.integer ?? -1)" }
                return
                    "\(file["path"]?.string ?? "") \(numbers.joined(separator: " ")) \(file["linkName"]?.string ?? "")"
            }
        }
        #expect(
            files[0] == [
                "a 48 9 8389101 1 2 ", "c 51 0 69206400 1 2 ", "d 53 0 2148532735 1 2 ", "f 54 0 33554816 1 2 ",
                "gone 48 9 384 1 2 ", "h 49 0 420 1 2 a", "l 50 0 134218239 1 2 a",
            ])
        #expect(files[1] == ["a 48 9 493 1 2 ", "d/.wh..wh..opq 48 0 0 1 2 ", ".wh.gone 48 0 0 1 2 "])
        #expect(layers[0]["command"] == .string("ADD x") && layers[1]["command"] == .string(""))
        #expect(layers.map { $0["index"]?.integer } == [0, 1] && layers[0]["sizeBytes"]?.integer == 18)
        let summary = try #require(document["image"])
        #expect(summary["sizeBytes"]?.integer == 27)
        #expect(summary["inefficientBytes"]?.integer == image.analysis.dive.wastedBytes)
        let references = (summary["fileReference"]?.array ?? []).map {
            "\($0["file"]?.string ?? "") \($0["count"]?.integer ?? 0) \($0["sizeBytes"]?.integer ?? 0)"
        }
        #expect(references == ["/a 2 18", "/gone 2 9", "/d 2 0"])
        #expect(references.count == image.analysis.dive.references.count)
    }
}
