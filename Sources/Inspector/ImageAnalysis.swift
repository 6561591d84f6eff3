package import Layers
package import OCI

/// The facts about a layer before it is analysed.
package struct AnalyzedLayerInput: Sendable {
    package let diffID: DiffID
    package let files: PackedFileList
    /// The command that made it, as the image's history has it.
    package let createdBy: String?
    /// Of the blob as it is transferred, in bytes.
    package let blobSize: Int64?

    package init(diffID: DiffID, files: PackedFileList, createdBy: String? = nil, blobSize: Int64? = nil) {
        self.diffID = diffID
        self.files = files
        self.createdBy = createdBy
        self.blobSize = blobSize
    }

    package init(diffID: DiffID, fileList: FileList, createdBy: String? = nil, blobSize: Int64? = nil) {
        self.init(diffID: diffID, files: PackedFileList(fileList), createdBy: createdBy, blobSize: blobSize)
    }
}

/// The bytes that a layer adds to an image, and the useless ones among them.
///
/// Files are all but directories. Sizes are in bytes and those of the files' contents, unless said otherwise; a hard
/// link is a file of size 0.
package struct AnalyzedLayer: Hashable, Sendable {
    /// 0 is the bottom.
    package let index: Int
    package let diffID: DiffID
    /// The command that made it; `nil` when the image does not tell.
    package let command: String?
    package let size: Int64
    /// Of the uncompressed archive.
    package let tarSize: Int64
    /// Of the blob as it is transferred; `nil` when none is known.
    package let blobSize: Int64?
    /// Files at paths where there was none before. Together with ``changed`` all files of the layer.
    package let added: FileTally
    /// Files at paths where there was one before, with the sizes that this layer stores.
    package let changed: FileTally
    /// Files of the layers below that are gone; the bytes are those that no other hard link still shows.
    package let removed: FileTally
    /// Bytes of this layer that a layer above makes useless.
    package let reclaimable: ReclaimableBytes
    /// Bytes of the layers below that this layer makes useless.
    package let causes: ReclaimableBytes
}

/// How much of what an image's layers store is of use.
///
/// Contents only are counted: headers and padding of the archives, directories, and the marks that remove something
/// are free. A content is reclaimable when none of its names is in the image's file system.
package struct ImageAnalysis: Hashable, Sendable {
    /// Bottom first.
    package let layers: [AnalyzedLayer]
    /// Reclaimable bytes, by the layer that holds them, the layer that made them useless, and the reason.
    package let waste: [Waste]
    /// Every path that layers store in vain: most bytes first, then in the order of their bytes.
    package let paths: [WastedPath]
    /// The contents of all layers, in bytes.
    package let size: Int64
    /// The uncompressed archives of all layers, in bytes.
    package let tarSize: Int64
    package let reclaimable: ReclaimableBytes
    package let dive: DiveScore

    /// - Parameter inputs: bottom first.
    package init(layers inputs: [AnalyzedLayerInput]) {
        let lists = inputs.map(\.files)
        let tree = PathTree(lists)
        let dive = Parallel { DiveScore(lists, tree) }
        var files = LiveFiles(tree, lists)
        for layer in lists.indices { files.apply(layer) }
        _ = files.finish()
        self.init(inputs, tree, files, dive.value)
    }

    /// The sizes of layers whose files are not read yet.
    init(unread layers: [AnalyzedLayer]) {
        self.layers = layers
        waste = []
        paths = []
        size = layers.reduce(0) { $0 &+ $1.size }
        tarSize = layers.reduce(0) { $0 &+ $1.tarSize }
        reclaimable = ReclaimableBytes()
        dive = DiveScore(layers: [])
    }

    /// `files` has had all layers applied.
    init(_ inputs: [AnalyzedLayerInput], _ tree: PathTree, _ files: LiveFiles, _ dive: DiveScore) {
        let waste = files.waste
        var held = [ReclaimableBytes](repeating: ReclaimableBytes(), count: inputs.count)
        var caused = held
        var reclaimable = ReclaimableBytes()
        for item in waste {
            held[item.holder][item.reason] &+= item.files.bytes
            caused[item.cause][item.reason] &+= item.files.bytes
            reclaimable[item.reason] &+= item.files.bytes
        }
        layers = inputs.enumerated().map { index, input in
            let changes = files.changes[index]
            return AnalyzedLayer(
                index: index, diffID: input.diffID, command: input.createdBy, size: input.files.storedSize,
                tarSize: input.files.tarSize, blobSize: input.blobSize, added: changes.added,
                changed: changes.changed, removed: changes.removed, reclaimable: held[index], causes: caused[index])
        }
        self.waste = waste
        self.reclaimable = reclaimable
        paths = Self.paths(files.wasteByPath, tree)
        size = layers.reduce(0) { $0 &+ $1.size }
        tarSize = layers.reduce(0) { $0 &+ $1.tarSize }
        self.dive = dive
    }

    /// The part of ``size`` that is of use, from 0 to 1; 1 when there are no bytes at all.
    package var efficiency: Double { size == 0 ? 1 : 1 - Double(reclaimable.total) / Double(size) }

    private static func paths(_ waste: [Int: LiveFiles.PathWaste], _ tree: PathTree) -> [WastedPath] {
        // One array for all paths with the same reasons.
        let reasons = (0..<UInt8(1 << WasteReason.allCases.count)).map { bits in
            WasteReason.allCases.filter { bits & 1 << $0.slot != 0 }
        }
        var paths = waste.map { node, waste in
            WastedPath(
                path: tree.path(of: node), bytes: waste.tally.bytes, count: waste.tally.count,
                reasons: reasons[Int(waste.reasons)])
        }
        paths.sort { $0.bytes == $1.bytes ? $0.path < $1.path : $0.bytes > $1.bytes }
        return paths
    }
}
