import Diagnostics
import Inspector
import Layers
import LazyLayers
import Linux
import OCI
import Transports

/// Lists the files of an image's layers.
struct LayerListing: Sendable {
    /// The lists of all layers, bottom first.
    struct Lists: Sendable {
        var lists: [PackedFileList]
        /// The sum that all of them have.
        var sum = ContentSum.checksum
        /// The tables of contents of the layers that were listed by one.
        var tables: [Int: LayerTable] = [:]
    }

    /// Layers that are read at the same time. Each is decompressed on a thread of its own.
    private static let width = 2

    let reader: any ImageReader
    let layers: [Descriptor]
    let diffIDs: [DiffID]
    let cache: FileListCache
    let report: @Sendable (TransferEvent) -> Void

    /// With `usesTables`, layers that would have to be fetched are listed by their tables of contents, if they have some.
    func lists(usesTables: Bool) async throws -> Lists {
        let known = diffIDs.map { cache.list($0, .checksum) }
        let missing = known.indices.filter { known[$0] == nil }
        if missing.isEmpty { return Lists(lists: known.compactMap(\.self)) }
        let isRemote = try missing.allSatisfy { try reader.file(of: layers[$0]) == nil }
        if usesTables, isRemote, missing.contains(where: { TableOfContents.hasOne(layers[$0]) }) {
            return try await tabled()
        }
        return Lists(lists: try await all { known[$0] != nil ? known[$0] : try await read($0, .checksum) })
    }

    /// The result of `list` for all layers, several at a time.
    private func all(_ list: @escaping @Sendable (Int) async throws -> PackedFileList?) async throws -> [PackedFileList]
    {
        var waiting = layers.indices[...]
        return try await withThrowingTaskGroup(of: (Int, PackedFileList?).self) { group in
            func start() {
                guard let index = waiting.popFirst() else { return }
                group.addTask { (index, try await list(index)) }
            }
            for _ in 0..<Self.width { start() }
            var found = [PackedFileList?](repeating: nil, count: layers.count)
            while let (index, list) = try await group.next() {
                found[index] = list
                start()
            }
            return found.compactMap(\.self)
        }
    }

    // MARK: Tables of contents

    private func tabled() async throws -> Lists {
        var tables: [Int: LayerTable] = [:]
        for index in layers.indices where TableOfContents.hasOne(layers[index]) {
            // A layer whose table cannot be read is read itself.
            tables[index] = try? await TableOfContents.read(layers[index], from: reader)
        }
        let found = tables
        let lists = try await all { index in
            if let table = found[index] { return PackedFileList(table.fileList) }
            if let list = cache.list(diffIDs[index], .digest) { return list }
            return try await read(index, .digest)
        }
        return Lists(lists: lists, sum: .digest, tables: tables)
    }

    // MARK: Layers

    private func read(_ index: Int, _ sum: ContentSum) async throws -> PackedFileList {
        let (layer, diffID) = (layers[index], diffIDs[index])
        let blob = LayerBlob(reader: reader, descriptor: layer) { [report] in report(.layerProgress(layer, $0)) }
        let summary = try await offload {
            do { return try LayerReader.readFileList(from: try blob.open(), sum: sum) } catch let error as LayerError {
                throw ForeignImageError(
                    .damaged, "layer \(index + 1) cannot be read: \(error.message)", hint: error.hint, cause: error)
            }
        }
        guard summary.diffID == diffID else {
            throw ForeignImageError(
                .damaged, "layer \(index + 1) is \(summary.diffID), and not \(diffID)",
                hint: "The image is damaged: make it again.")
        }
        let files = PackedFileList(summary.fileList)
        cache.keep(files, diffID, sum)
        report(.layerDone(layer))
        return files
    }
}
