import Diagnostics
import Layers
import Linux
import OCI
import Solver
import Store
import Synchronization
import SystemPackage
import Testing
import Transports
import Trees

@testable import Images

/// Layers that are unpacked while they arrive, here from OCI layouts.
@Suite(.timeLimit(.minutes(10))) struct ArrivingLayerTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private struct Layer {
        let diffID: DiffID
        let blob: Descriptor
        let bytes: [UInt8]
    }

    private static func layer(_ entries: [(LayerEntry, [UInt8])]) throws -> Layer {
        let collected = Collected()
        var writer = try LayerWriter(CompressionOptions(.gzip), to: { collected.append($0) })
        for (entry, content) in entries {
            if entry.kind == .regular {
                try writer.add(entry, content: content.span)
            } else {
                try writer.add(entry)
            }
        }
        let written = try writer.finish()
        let blob = try #require(written.blob)
        return Layer(diffID: written.diffID, blob: blob, bytes: collected.bytes)
    }

    private static func file(_ path: String, _ content: [UInt8]) -> (LayerEntry, [UInt8]) {
        (LayerEntry(path: PathBytes(path), kind: .regular, permissions: 0o640), content)
    }

    /// The second layer needs the first: it has a file in a directory that only that one describes, and a link to its
    /// file.
    private static func stack() throws -> [Layer] {
        [
            try layer([
                (LayerEntry(path: "d", kind: .directory, permissions: 0o750), []), file("d/f", Array("lower".utf8)),
                file("large", (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }),
            ]),
            try layer([
                file("d/g", Array("middle".utf8)), (LayerEntry(path: "d/h", kind: .hardLink, linkTarget: "d/f"), []),
            ]),
            try layer([
                (LayerEntry(path: "d", kind: .directory, permissions: 0o700), []),
                (LayerEntry(path: "d/g", kind: .whiteout), []), file("d/t", Array("top".utf8)),
            ]),
        ]
    }

    /// A store that knows layers of a layout; `change` damages the bytes of one there.
    private func store(
        _ name: String, _ layers: [Layer], layout: String = "layout", change: (Layer) -> [UInt8] = { $0.bytes }
    ) throws -> StoreRoot {
        let store = try StoreRoot(at: scratch.path.appending(name))
        let directory = LayoutDirectory(scratch.path.appending("\(name)-\(layout)"))
        try directory.create()
        for layer in layers { try FileSystem.write(change(layer), to: directory.path(of: layer.blob.digest)) }
        try store.layers.addSources(
            layers.map { layer in
                let location = BlobLocation.layout(directory.path).encoded
                return (diffID: layer.diffID, source: LayerSource(blob: layer.blob, location: location))
            })
        return store
    }

    private func unpacker(_ store: StoreRoot, _ events: @escaping @Sendable (BuildEvent) -> Void = { _ in })
        -> SnapshotUnpacker
    {
        SnapshotUnpacker(
            store: store, trees: LayerTreeCache(store.layers), fetcher: fetcher(store),
            progress: LayerProgress(ProgressReporter { events($0) })
        ) { SnapshotForm(marks: .names, owners: nil) }
    }

    private func fetcher(_ store: StoreRoot) -> LayerFetcher {
        LayerFetcher(
            store: store, registry: RegistryAccess(environment: [:]), storage: LayerStorage(store: store))
    }

    /// All files below a directory, with permissions and contents.
    private func files(_ directory: FilePath, below path: String = "") throws -> [String] {
        let open = try Directory(opening: directory)
        return try open.names().sorted { $0.text < $1.text }.flatMap { name -> [String] in
            let status = try open.status(name)
            let line = "\(path)\(name.text) \(String(status.permissions, radix: 8))"
            if status.type == .directory {
                return [line] + (try files(directory.appending(name.text), below: "\(path)\(name.text)/"))
            }
            return ["\(line) \(Digest(of: try open.open(name).readAll(limit: 1 << 24)))"]
        }
    }

    @Test("What is unpacked while it arrives is as what is unpacked from the store")
    func agrees() async throws {
        let layers = try Self.stack()
        let stack = LayerStack(ofImage: layers.map(\.diffID))
        let (arriving, fetched) = (try store("arriving", layers), try store("fetched", layers))
        let made = try await unpacker(arriving).all(of: stack)
        try await fetcher(fetched).requireContent(stack.diffIDs)
        let expected = try await unpacker(fetched).all(of: stack)
        for (one, other) in zip(made, expected) { #expect(try files(one.directory) == files(other.directory)) }
        #expect(made.map(\.chainID) == stack.chains && made.map(\.parent) == expected.map(\.parent))
        for layer in layers {
            #expect(try arriving.layers.fileList(layer.diffID) == fetched.layers.fileList(layer.diffID))
            #expect(try arriving.content.contains(layer.blob.digest))
        }
    }

    @Test("A layer that needs none of those below it is read once")
    func isReadOnce() async throws {
        let layer = try Self.stack()[0]
        let statuses = Mutex<[String]>([])
        let store = try store("store", [layer])
        let made = try await unpacker(store) { event in
            if case .status(_, let status) = event { statuses.withLock { $0.append(status.name) } }
        }.all(of: LayerStack(ofImage: [layer.diffID]))
        #expect(try files(made[0].directory).count == 3)
        let shown = statuses.withLock { $0 }
        #expect(shown.contains("\(layer.blob.digest)") && !shown.contains { $0.hasPrefix("extracting") }, "\(shown)")
    }

    @Test("A layer that is cut, damaged or another one becomes neither a blob nor a snapshot", arguments: 0..<4)
    func isRefused(_ kind: Int) async throws {
        let layer = try Self.stack()[0]
        let other = try Self.stack()[2]
        let store = try store("store", [layer]) { layer in
            switch kind {
            case 0: Array(layer.bytes.dropLast(layer.bytes.count / 2))
            // The archive is whole, and so is what a reader of gzip sees of it.
            case 1: layer.bytes + [0]
            case 2: layer.bytes.dropLast(9) + layer.bytes.suffix(9).map { ~$0 }
            default: other.bytes
            }
        }
        let stack = LayerStack(ofImage: [layer.diffID])
        let error = await #expect(throws: ImagesError.self) { try await unpacker(store).all(of: stack) }
        #expect(error?.code == .layerGone)
        #expect(try store.snapshots.snapshots(of: stack.chains[0]).isEmpty)
        #expect(try !store.content.contains(layer.blob.digest) && store.layers.layer(layer.diffID) == nil)
    }

    @Test("A blob with another layer than its source says does not become that layer's snapshot")
    func isAnother() async throws {
        let layers = try Self.stack()
        let store = try store("store", [Layer(diffID: layers[0].diffID, blob: layers[2].blob, bytes: layers[2].bytes)])
        let stack = LayerStack(ofImage: [layers[0].diffID])
        let error = await #expect(throws: ImagesError.self) { try await unpacker(store).all(of: stack) }
        #expect(error?.code == .layerGone)
        #expect(try store.snapshots.snapshots(of: stack.chains[0]).isEmpty)
    }

    @Test("A layer that is unpacked while it is written is as one that is unpacked later")
    func isWritten() async throws {
        let names = ["now", "later"]
        var found: [[String]] = []
        for name in names {
            let store = try store(name, [])
            let unpacker = unpacker(store)
            var draft = LayerDraft(on: LayerTree())
            let parents = NewDirectory(permissions: 0o700, modified: FileTime(seconds: 0))
            for (entry, bytes) in [Self.file("a/b/c", Array("c".utf8)), Self.file("a/d", [])] {
                try draft.put(.init(entry: entry, content: .bytes(bytes)), at: entry.path, parents: parents)
            }
            let reading = name == "now" ? unpacker.reading(newLayerOn: LayerStack()) : nil
            let diffID = try LayerStorage(store: store).write(draft, reading: reading)
            let snapshots = try await unpacker.all(of: LayerStack(ofImage: [diffID]))
            found.append(try files(snapshots[0].directory) + ["\(diffID)"])
        }
        #expect(found[0] == found[1] && found[0].count == 5)
    }

    @Test("What is written goes to the store even if it cannot be unpacked")
    func isWrittenAllTheSame() throws {
        struct Refusal: Error {}
        let store = try store("store", [])
        var draft = LayerDraft(on: LayerTree())
        let (entry, bytes) = Self.file("large", [UInt8](repeating: 7, count: 9 << 20))
        try draft.put(
            .init(entry: entry, content: .bytes(bytes)), at: entry.path,
            parents: NewDirectory(modified: FileTime(seconds: 0)))
        let diffID = try LayerStorage(store: store).write(draft) { _ in throw Refusal() }
        let blob = try #require(try store.layers.blobs(of: diffID).first)
        #expect(try store.content.size(of: blob.digest) == blob.size)
    }

    @Test("After a place with a damaged layer the next one is tried")
    func triesTheNextPlace() async throws {
        let layer = try Self.stack()[0]
        _ = try store("store", [layer])
        // What is noted last is tried first.
        let store = try store("store", [layer], layout: "damaged") {
            $0.bytes.dropLast(9) + $0.bytes.suffix(9).map { ~$0 }
        }
        let made = try await unpacker(store).all(of: LayerStack(ofImage: [layer.diffID]))
        #expect(try files(made[0].directory).count == 3)
        #expect(try store.layers.sources(of: layer.diffID).count == 1)
    }
}

private final class Collected: Sendable {
    private let state = Mutex<[UInt8]>([])

    var bytes: [UInt8] { state.withLock { $0 } }

    func append(_ bytes: Span<UInt8>) {
        state.withLock { state in unsafe bytes.withUnsafeBufferPointer { unsafe state.append(contentsOf: $0) } }
    }
}
