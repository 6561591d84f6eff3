import Diagnostics
package import Layers
package import Linux
package import OCI
package import Store
package import SystemPackage
package import Trees

/// Brings layers into the store and out of it: where the formats of `Layers` meet the files of `Store`.
package struct LayerStorage: Sendable {
    package let store: StoreRoot

    package init(store: StoreRoot) {
        self.store = store
    }

    /// Writes a draft as an uncompressed layer blob and records it.
    ///
    /// Nothing but this one file is written: a step that needs the files as a directory unpacks them later, or `reading`
    /// does so while they are written.
    package func write(_ draft: LayerDraft, reading: LayerReading? = nil) throws -> DiffID {
        try writeBlob(expecting: Self.size(of: draft.entries), reading: reading) { try Self.add(draft, to: &$0) }
    }

    /// Writes an uncompressed layer blob of about a size, and records it. Its bytes go to `reading`, too, which may fail.
    func writeBlob(
        expecting size: Int64, reading: LayerReading? = nil, _ body: (inout LayerWriter) throws -> Void
    ) throws -> DiffID {
        let ingest = try store.content.begin(expecting: size)
        let sink = ingest.sink
        let pass = reading.map { LayerPass($0) }
        defer { pass?.abandon() }
        var writer = try LayerWriter(CompressionOptions(.none)) { bytes in
            pass?.write(bytes)
            try sink(bytes)
        }
        try body(&writer)
        let written = try writer.finish()
        _ = pass?.finish()
        guard let blob = written.blob else { throw ImagesError(.corrupt, "the layer was not written") }
        try ingest.commit(as: blob.digest, size: blob.size)
        try record(written)
        try store.layers.addBlob(
            Descriptor(mediaType: .ociLayer, digest: blob.digest, size: blob.size), of: written.diffID)
        return written.diffID
    }

    private static func add(_ draft: LayerDraft, to writer: inout LayerWriter) throws {
        var links: [CopyLink: PathBytes] = [:]
        try draft.forEach { file in
            if let link = file.link {
                if let first = links[link] {
                    var entry = file.entry
                    entry.kind = .hardLink
                    entry.linkTarget = first
                    entry.size = 0
                    return try writer.add(entry)
                }
                links[link] = file.entry.path
            }
            switch file.content {
            case .none: try writer.add(file.entry)
            case .bytes(let bytes): try writer.add(file.entry, content: bytes.span)
            case .file(let node, let source):
                // A socket of the context is an empty file in the layer, and cannot be opened.
                if file.entry.size == 0 {
                    try writer.add(file.entry)
                } else {
                    try writer.add(file.entry, content: draft.tree(source).open(node))
                }
            }
        }
    }

    /// Records what a command changed on top of `below`, read from the upper directory of its overlay.
    package func record(upper: FilePath, _ marks: OverlayMarks, on below: LayerTree) throws -> DiffID {
        let written = try Self.layer(of: upper, marks, on: below, to: LayerWriter())
        try record(written)
        return written.diffID
    }

    /// Writes the layer that an overlay's upper directory makes on top of `below` to `writer`. Records nothing.
    package static func layer(
        of upper: FilePath, _ marks: OverlayMarks, on below: LayerTree, to writer: consuming LayerWriter
    ) throws -> WrittenLayer {
        let upper = try Directory(opening: upper)
        var writer = writer
        try writer.add(try members(try LayerDiffer(marks).find(upper), in: upper, on: below), from: upper)
        return try writer.finish()
    }

    /// Records what a command changed in a tree whose files all belong to this user, as a blob: the directory alone does
    /// not say whose they are. A file of the layers below keeps its owner, a new one is root's.
    package func write(upper: FilePath, _ marks: OverlayMarks, on tree: LayerTree) throws -> DiffID {
        var differ = LayerDiffer(marks)
        differ.recordedOwner = { tree.owner(of: $0) }
        let upper = try Directory(opening: upper)
        return try write(try differ.find(upper), from: upper, on: tree)
    }

    /// Writes what was found changed in a tree, on top of `below`, as an uncompressed layer blob and records it.
    package func write(_ found: [FoundFile], from root: borrowing Directory, on below: LayerTree) throws -> DiffID {
        let members = try Self.members(found, in: root, on: below)
        return try writeBlob(expecting: Self.size(of: members)) { writer in try writer.add(members, from: root) }
    }

    /// How many bytes of files there are at most, hard links not recognised.
    private static func size(of entries: some Sequence<LayerEntry>) -> Int64 {
        entries.clampedSum { $0.kind == .regular ? $0.size : 0 }
    }

    private static func members(
        _ found: [FoundFile], in root: borrowing Directory, on below: LayerTree
    ) throws -> [LayerEntry] {
        let files = try FileOpener(root)
        let reduction = LayerReduction(
            below: { below.node(at: $0)?.entry },
            names: { below.children(of: $0).map(\.path.lastComponent) },
            contentHash: { try files.contentHash(of: $0) })
        return try reduction.reduce(found).members
    }

    private func record(_ layer: WrittenLayer) throws { try record(layer.diffID, layer.files) }

    /// Records what a layer holds.
    package func record(_ diffID: DiffID, _ files: FileList) throws { try record(diffID, EncodedFileList(files)) }

    private func record(_ diffID: DiffID, _ files: EncodedFileList) throws {
        try store.layers.record(
            LayerRecord(
                diffID: diffID, contentSize: files.contentSize, fileCount: files.fileCount, tarSize: files.tarSize),
            fileList: files.bytes)
    }

    /// Reads a layer blob of the store once, to learn which layer it is and what it holds, unless that is known.
    ///
    /// `expected` is what the image's config says it is. Throws ``ImagesError`` `.badArchive` when it is another layer.
    package func index(_ blob: Descriptor, expecting expected: DiffID) throws {
        if try store.layers.diffID(ofBlob: blob.digest) == expected, try store.layers.layer(expected) != nil { return }
        guard let file = try store.content.open(blob.digest) else {
            throw ImagesError(.corrupt, "the layer blob \(blob.digest) is missing from the store")
        }
        let summary = try LayerReader.readFileList(from: DescriptorStream(file))
        guard summary.diffID == expected else {
            throw ImagesError(
                .badArchive, "layer \(blob.digest) unpacks to \(summary.diffID), but the image says \(expected)",
                hint: "The image is damaged: get it again.")
        }
        try record(summary, of: blob)
    }

    /// Records what was found in a layer blob while it arrived; without a summary nothing: a layer that cannot be read is
    /// read again by ``index(_:expecting:)``, which says what is wrong with it.
    func record(_ summary: LayerSummary?, of blob: Descriptor) throws {
        guard let summary else { return }
        try record(summary.diffID, summary.fileList)
        try store.layers.addBlob(
            Descriptor(mediaType: blob.mediaType, digest: blob.digest, size: blob.size), of: summary.diffID)
    }
}
