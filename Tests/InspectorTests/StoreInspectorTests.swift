import Diagnostics
import Inspector
import Layers
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite final class StoreInspectorTests {
    private let parent: Directory
    private let name: PathBytes
    private let store: StoreRoot
    private let base = FileList(
        [LayerEntry(path: "a", kind: .regular, size: 100, contentHash: 1)], tarSize: 2048)
    private let top = FileList([LayerEntry(path: "a", kind: .whiteout)], tarSize: 1536)

    init() throws {
        let folder: FilePath = (try? Directory(opening: "/dev/shm")) != nil ? "/dev/shm" : "/tmp"
        parent = try Directory(opening: folder)
        name = PathBytes("inspector-test-\(UInt64.random(in: 0...UInt64.max))")
        try parent.makeDirectory(name, permissions: 0o700)
        store = try StoreRoot(at: folder.appending(name.text).appending("root"))
    }

    deinit { try? parent.removeTree(name) }

    private func record(_ text: String, _ list: [UInt8]) throws -> DiffID {
        let diffID = DiffID(Digest(of: text))
        let files = try? FileList(decoding: list)
        try store.layers.record(
            LayerRecord(
                diffID: diffID, contentSize: files?.contentSize ?? 1, fileCount: files?.fileCount ?? 1,
                tarSize: files?.tarSize ?? 0), fileList: list)
        return diffID
    }

    private func image(_ diffIDs: [DiffID], blobSizes: [Int64] = []) throws -> StoredImage {
        var config = ImageConfig(platform: .host)
        config.diffIDs = diffIDs
        config.history = [
            History(createdBy: "COPY a /", emptyLayer: false), History(createdBy: "ENV a=b", emptyLayer: true),
            History(createdBy: "RUN rm /a", emptyLayer: false),
        ]
        return StoredImage(
            id: try store.content.save(config.encoded), platform: .host, created: nil, diffIDs: diffIDs, size: 0,
            layers: blobSizes.map { Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: "\($0)"), size: $0) })
    }

    private func code(of body: () throws -> Void) -> InspectorCode? {
        do {
            try body()
            return nil
        } catch {
            return (error as? InspectorError)?.code
        }
    }

    @Test func anImageIsAnalysedFromWhatIsRecorded() throws {
        let layers = [try record("0", base.encode()), try record("1", top.encode()), DiffID.empty]
        let image = try image(layers, blobSizes: [7, 8, 9])
        let analysis = try StoreInspector(store: store).analysis(of: image)
        #expect(analysis.layers.map(\.diffID) == layers)
        #expect(analysis.layers.map(\.command) == ["COPY a /", "RUN rm /a", nil])
        #expect(analysis.layers.map(\.blobSize) == [7, 8, 9])
        #expect(analysis.layers.map(\.tarSize) == [2048, 1536, 1024])
        #expect(analysis.reclaimable[.deleted] == 100)
        let history = try StoreInspector(store: store).history(of: image)
        #expect(history.rows.map(\.createdBy) == ["", "RUN rm /a", "ENV a=b", "COPY a /"])
        #expect(history.rows.map(\.size) == [0, 0, 0, 100])
        #expect(history.rows[0].id == image.id)
    }

    @Test func anOutlineHasTheSizesOfLayersWithoutTheListsOfFiles() throws {
        // A list that cannot be read, as none is.
        let layers = [try record("0", base.encode()), try record("1", [1, 2, 3]), DiffID.empty]
        let outline = try StoreInspector(store: store).outline(of: try image(layers, blobSizes: [7, 8, 9]))
        #expect(outline.analysis.layers.map(\.diffID) == layers)
        #expect(outline.analysis.layers.map(\.command) == ["COPY a /", "RUN rm /a", nil])
        #expect(outline.analysis.layers.map(\.size) == [100, 1, 0])
        #expect(outline.analysis.layers.map(\.added.count) == [1, 1, 0])
        #expect(outline.analysis.layers.map(\.blobSize) == [7, 8, 9])
        #expect(outline.analysis.size == 101 && outline.tree.count == 1)
        let lost = StoredImage(id: Digest(of: "lost"), platform: .host, created: nil, diffIDs: [], size: 0)
        #expect(code { _ = try StoreInspector(store: store).outline(of: lost) } == .missingConfig)
    }

    @Test func blobsOfAnotherNumberOfLayersTellNothing() throws {
        let image = try image([try record("0", base.encode())], blobSizes: [7, 8])
        #expect(try StoreInspector(store: store).analysis(of: image).layers.map(\.blobSize) == [nil])
    }

    @Test func whatIsMissingIsNamed() throws {
        let inspector = StoreInspector(store: store)
        let unknown = try image([DiffID(Digest(of: "unknown"))])
        #expect(code { _ = try inspector.analysis(of: unknown) } == .missingFileList)
        #expect(code { _ = try inspector.history(of: unknown) } == .missingFileList)
        let damaged = try image([try record("damaged", [1, 2, 3])])
        #expect(code { _ = try inspector.analysis(of: damaged) } == .badFileList)
        let lost = StoredImage(id: Digest(of: "lost"), platform: .host, created: nil, diffIDs: [], size: 0)
        #expect(code { _ = try inspector.analysis(of: lost) } == .missingConfig)
    }
}
