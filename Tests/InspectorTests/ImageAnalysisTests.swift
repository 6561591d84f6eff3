import Inspector
import Layers
import Linux
import OCI
import Testing

@Suite struct ImageAnalysisTests {
    @Test func theTableIsThere() { #expect(layouts.count > 30) }

    @Test("The analysis of a layout is the expected one", arguments: layouts)
    func layout(_ layout: Layout) throws {
        let analysis = layout.analysis
        let waste = analysis.waste.map {
            "\($0.holder) \($0.cause) \($0.reason.rawValue) \($0.files.count) \($0.files.bytes)"
        }
        #expect(waste == layout.expected["waste"] ?? [])
        let paths = analysis.paths.map {
            "\($0.path) \($0.bytes) \($0.count) \($0.reasons.map(\.rawValue).joined(separator: " "))"
        }
        #expect(paths == layout.expected["path"] ?? [])
        #expect(["\(analysis.size) \(analysis.reclaimable.total)"] == layout.expected["total"])
        for line in layout.expected["changes"] ?? [] {
            let layer = analysis.layers[try #require(Int(line.prefix { $0 != " " }))]
            let (added, changed, removed) = (layer.added, layer.changed, layer.removed)
            let changes =
                "\(layer.index) added \(added.count) \(added.bytes) changed \(changed.count) \(changed.bytes) "
                + "removed \(removed.count) \(removed.bytes)"
            #expect(changes == line)
        }
        if let dive = layout.expected["dive"]?.first {
            let score = Int((analysis.dive.efficiency * 10000).rounded())
            let decimals = String(10000 + score % 10000).dropFirst()
            let numbers = "\(score / 10000).\(decimals) \(analysis.dive.wastedBytes) \(analysis.dive.userSizeBytes)"
            #expect(numbers == dive)
            #expect(analysis.dive.sizeBytes == analysis.size)
            #expect(DiveScore(layers: layout.layers.map { PackedFileList(FileList($0, tarSize: 0)) }) == analysis.dive)
        }
        expectConsistent(analysis)
    }

    @Test func efficiencyIsTheUsefulPart() throws {
        let chown = try #require(layouts.first { $0.name == "dive: chown" }).analysis
        #expect(abs(chown.efficiency - 2.0 / 3) < 1e-9)
        #expect(chown.reclaimable[.metadataOnly] == 1000)
        #expect(chown.reclaimable[.overwritten] == 0)
        #expect(chown.layers[0].reclaimable[.metadataOnly] == 1000)
        #expect(chown.layers[0].causes.total == 0)
        #expect(chown.layers[1].causes[.metadataOnly] == 1000)
        #expect(chown.dive.wastedUserPercent == 2)
        #expect(ImageAnalysis(layers: []).efficiency == 1)
    }

    @Test func aRatioToNothingIsNotANumber() throws {
        let single = try #require(layouts.first { $0.name == "a single layer wastes nothing" }).analysis
        #expect(single.dive.wastedUserPercent.isNaN)
        #expect(single.json()["dive"]?["wastedUserPercent"] == .null)
        let removal = try #require(layouts.first { $0.name == "dive: delete files one by one" }).analysis
        #expect(removal.dive.wastedUserPercent == .infinity)
        #expect(removal.json()["dive"]?["wastedUserPercent"] == .null)
    }

    @Test func namesThatAreNotTextStayApart() {
        let names = [PathBytes([0xff]), PathBytes([0xfe]), PathBytes("\u{e9}"), PathBytes("e\u{301}")]
        let base = FileList(names.map { LayerEntry(path: $0, kind: .regular, size: 5) }, tarSize: 0)
        let top = FileList(names.map { LayerEntry(path: $0, kind: .whiteout) }, tarSize: 0)
        let inputs = [base, top].map { AnalyzedLayerInput(diffID: .empty, fileList: $0) }
        #expect(Set(ImageAnalysis(layers: inputs).paths.map(\.path)) == Set(names))
    }

    @Test func aNameTooLongForAnyFileSystemIsCounted() {
        let path = PathBytes(Array(repeating: "a", count: 100_000).joined(separator: "/"))
        let layers = [LayerEntry(path: path, kind: .regular, size: 3), LayerEntry(path: path, kind: .whiteout)]
        let inputs = layers.map { AnalyzedLayerInput(diffID: .empty, fileList: FileList([$0], tarSize: 0)) }
        #expect(ImageAnalysis(layers: inputs).reclaimable[.deleted] == 3)
    }

    @Test func sizesThatNoFileHasCountAsNothing() {
        let entry = LayerEntry(path: "a", kind: .regular, size: -5)
        let analysis = ImageAnalysis(
            layers: [AnalyzedLayerInput(diffID: .empty, fileList: FileList([entry], tarSize: 0))])
        #expect(analysis.size == 0)
        #expect(analysis.efficiency == 1)
    }

    @Test func theDocumentIsStable() throws {
        let inputs = [
            AnalyzedLayerInput(
                diffID: DiffID(Digest(of: "0")),
                fileList: FileList(
                    [
                        LayerEntry(path: "etc", kind: .directory),
                        LayerEntry(path: "etc/a", kind: .regular, size: 100, contentHash: 1),
                        LayerEntry(path: "etc/b", kind: .regular, size: 50, contentHash: 1),
                    ], tarSize: 4096),
                createdBy: "ADD rootfs /", blobSize: 700),
            AnalyzedLayerInput(
                diffID: DiffID(Digest(of: "1")),
                fileList: FileList(
                    [
                        LayerEntry(path: "etc/a", kind: .regular, size: 100, contentHash: 1),
                        LayerEntry(path: "etc/b", kind: .whiteout),
                    ], tarSize: 2048)),
        ]
        let analysis = ImageAnalysis(layers: inputs)
        #expect(analysis.json().text(.pretty(2)) + "\n" == (try testdata("analysis.json")))
        #expect(analysis.json(pathLimit: 1)["paths"]?.array?.count == 1)
        #expect(analysis.json(pathLimit: 1)["pathCount"] == .integer(2))
    }
}

/// Properties of every analysis.
func expectConsistent(_ analysis: ImageAnalysis, sourceLocation: SourceLocation = #_sourceLocation) {
    let total = analysis.reclaimable.total
    #expect(analysis.layers.reduce(0) { $0 + $1.reclaimable.total } == total, sourceLocation: sourceLocation)
    #expect(analysis.layers.reduce(0) { $0 + $1.causes.total } == total, sourceLocation: sourceLocation)
    #expect(analysis.waste.reduce(0) { $0 + $1.files.bytes } == total, sourceLocation: sourceLocation)
    #expect(analysis.paths.reduce(0) { $0 + $1.bytes } == total, sourceLocation: sourceLocation)
    #expect(analysis.waste.allSatisfy { $0.holder < $0.cause }, sourceLocation: sourceLocation)
    #expect((0...1).contains(analysis.efficiency), sourceLocation: sourceLocation)
    #expect(
        analysis.layers.allSatisfy { $0.size == $0.added.bytes + $0.changed.bytes && $0.reclaimable.total <= $0.size },
        sourceLocation: sourceLocation)
}
