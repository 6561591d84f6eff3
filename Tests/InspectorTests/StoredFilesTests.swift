import Inspector
import Layers
import Linux
import OCI
import Testing

@Suite struct StoredFilesTests {
    private func image(_ layers: [[LayerEntry]]) -> InspectedImage {
        InspectedImage(
            config: ImageConfig(platform: .host),
            layers: layers.map {
                AnalyzedLayerInput(diffID: .empty, fileList: FileList($0, tarSize: 1024))
            }, contents: MemoryContents(blobs: []))
    }

    /// `PATH LAYER SIZE` and the reason with the layer that is the cause.
    private func lines(_ image: InspectedImage) -> [String] {
        image.storedFiles().map { file in
            let reason = file.uselessness.map { " \($0.reason.rawValue) \($0.cause)" } ?? ""
            return "\(image.tree.path(of: file.node)) \(file.layer) \(file.size)\(reason)"
        }
    }

    @Test func everyFileOfEveryLayerIsTold() {
        func file(_ path: PathBytes, _ size: Int64, _ hash: UInt64 = 1, mode: UInt32 = 0o644) -> LayerEntry {
            LayerEntry(path: path, kind: .regular, permissions: mode, size: size, contentHash: hash)
        }
        let found = lines(
            image([
                [
                    file("a", 10), file("b", 20), file("c", 30), LayerEntry(path: "d", kind: .directory),
                    file("d/x", 40),
                    file("h", 50), LayerEntry(path: "s", kind: .symlink, linkTarget: "a"),
                    LayerEntry(path: "h2", kind: .hardLink, linkTarget: "h"),
                ],
                [
                    file("a", 11, 2), file("b", 20, mode: 0o600), LayerEntry(path: "c", kind: .whiteout),
                    LayerEntry(path: "d", kind: .whiteout), LayerEntry(path: "h", kind: .whiteout),
                ],
            ]))
        #expect(
            found == [
                "a 0 10 overwritten 1", "a 1 11", "b 0 20 metadata-only 1", "b 1 20", "c 0 30 deleted 1",
                "d/x 0 40 deleted 1", "h 0 50", "h2 0 0", "s 0 0",
            ])
    }

    /// Both count the same bytes, in different ways.
    @Test("Useless files have the bytes of the analysis", arguments: layouts + treeLayouts)
    func sums(_ layout: Layout) {
        let image = image(layout.layers)
        let useless = image.storedFiles().filter { $0.uselessness != nil }
        #expect(useless.reduce(0) { $0 + $1.size } == image.analysis.reclaimable.total)
        for layer in image.analysis.layers {
            #expect(
                useless.filter { $0.layer == layer.index }.reduce(0) { $0 + $1.size } == layer.reclaimable.total)
        }
    }
}
