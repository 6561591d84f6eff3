import Diagnostics
import Layers
import LazyLayers
import Linux
package import OCI
import Store
import SystemPackage
import Trees

extension LayerStorage {
    /// The layer on top of a stack as a blob in the store, made where there is none yet.
    ///
    /// A blob that is there is taken as it is if its compression is the chosen one or, unless that must be exact, anything
    /// but none. With `mayBeElsewhere`, so is one that is known to be elsewhere, when the layer is not here in any form.
    /// `check` is called again and again while a blob is made; an error that it throws ends that.
    package func blob(
        of stack: LayerStack, as choice: BlobChoice, mayBeElsewhere: Bool, check: @escaping () throws -> Void = {}
    ) throws -> Descriptor {
        guard let layer = stack.top, let chain = stack.chainID else { throw Self.noLayer }
        return try blob(of: layer.diffID, in: chain, as: choice, mayBeElsewhere: mayBeElsewhere, check: check)
    }

    static var noLayer: ImagesError { ImagesError(.corrupt, "an image without layers has no layer to write") }

    /// All layers of a stack as blobs in the store, each by the choice for its index; see
    /// ``blob(of:as:mayBeElsewhere:)``.
    package func blobs(
        of stack: LayerStack, as choice: (Int) -> BlobChoice, mayBeElsewhere: Bool
    ) throws -> [Descriptor] {
        try stack.parts(above: 0).enumerated().map { index, part in
            try blob(of: part, as: choice(index), mayBeElsewhere: mayBeElsewhere)
        }
    }

    private func blob(
        of diffID: DiffID, in chain: ChainID, as choice: BlobChoice, mayBeElsewhere: Bool,
        check: @escaping () throws -> Void = {}
    ) throws -> Descriptor {
        if let known = try knownBlob(of: diffID, as: choice) { return known }
        if mayBeElsewhere, !choice.isFresh, choice.format == nil, try presentBlobs(of: diffID).isEmpty,
            try store.snapshots.snapshots(of: chain).isEmpty,
            let source = try store.layers.sources(of: diffID).first(where: { source in
                !choice.isExact || source.blob.mediaType.compression == choice.options.compression
            })
        {
            return source.blob
        }
        let ingest = try store.content.begin()
        let sink = ingest.sink
        let made = try compress(diffID, in: chain, as: choice) { bytes in
            try check()
            try sink(bytes)
        }
        try ingest.commit(as: made.digest, size: made.size)
        let blob = Descriptor(mediaType: made.mediaType, digest: made.digest, size: made.size)
        try store.layers.addBlob(blob, of: diffID)
        return made
    }

    func presentBlobs(of diffID: DiffID) throws -> [Descriptor] {
        try store.layers.blobs(of: diffID).filter { try store.content.contains($0.digest) }
    }

    /// The blob of a layer that is taken as it is, if the store has one; see ``blob(of:as:mayBeElsewhere:)``.
    package func knownBlob(of diffID: DiffID, as choice: BlobChoice) throws -> Descriptor? {
        if let format = choice.format {
            // An eStargz layer is its only blob, as the archive has the places of compressed files.
            return choice.isFresh && format != .estargz ? nil : try lazyBlob(of: diffID, as: format)
        }
        let known = try presentBlobs(of: diffID)
        // The archive itself is the same whoever makes it.
        if choice.isFresh, choice.options.compression != .none { return nil }
        if let exact = known.first(where: { $0.mediaType.compression == choice.options.compression }) { return exact }
        return choice.isExact ? nil : known.first { $0.mediaType.compression.map { $0 != .none } ?? false }
    }

    /// Writes a blob of the layer on top of a stack to `sink`, from another blob of it or else from its directory.
    ///
    /// `progress` gets the blob that it is written from, if there is one, and how many of its bytes were read. Throws
    /// ``ImagesError`` `.corrupt` when the store has neither, or they are not the layer any more.
    package func compress(
        _ stack: LayerStack, as choice: BlobChoice,
        to sink: @escaping (Span<UInt8>) throws -> Void,
        progress: @escaping (Descriptor, Int64) -> Void = { _, _ in }
    ) throws -> Descriptor {
        guard let layer = stack.top, let chain = stack.chainID else { throw Self.noLayer }
        return try compress(layer.diffID, in: chain, as: choice, to: sink, progress: progress)
    }

    func compress(
        _ layer: DiffID, in chain: ChainID, as choice: BlobChoice,
        to sink: @escaping (Span<UInt8>) throws -> Void,
        progress: @escaping (Descriptor, Int64) -> Void = { _, _ in }
    ) throws -> Descriptor {
        let made: Descriptor
        let diffID: DiffID
        let options = choice.options
        if choice.format == .estargz {
            throw ImagesError(
                .corrupt, "the store has lost layer \(layer)", hint: "Build the image again with --no-cache.")
        } else if choice.format == .chunked {
            (made, diffID) = try ChunkedLayer.write(
                plainArchive(of: layer, in: chain), level: options.level, threads: options.threads, to: sink)
        } else if let source = try presentBlobs(of: layer).first, let content = try store.content.open(source.digest) {
            let counted = CountedStream(DescriptorStream(content)) { progress(source, $0) }
            (made, diffID) = try CompressedBlobWriter.recompress(counted, options, to: sink)
        } else {
            var writer = try LayerWriter(options, to: sink)
            try writer.add(try members(of: layer), from: try directory(of: layer, in: chain))
            let written = try writer.finish()
            guard let blob = written.blob else { throw ImagesError(.corrupt, "the layer was not written") }
            (made, diffID) = (blob, written.diffID)
        }
        guard diffID == layer else {
            throw ImagesError(
                .corrupt, "layer \(layer) in the store was changed: it is now \(diffID)",
                hint: "Build the image again with --no-cache.")
        }
        return made
    }

    /// The unpacked layer of a stack. Throws ``ImagesError`` `.corrupt` when there is none.
    func directory(of layer: DiffID, in chain: ChainID) throws -> Directory {
        guard let snapshot = Self.readable(try store.snapshots.snapshots(of: chain)) else {
            throw ImagesError(
                .corrupt, "the store has lost layer \(layer)", hint: "Build or pull the image again.")
        }
        return try Directory(opening: snapshot.directory)
    }

    /// The snapshot whose owners and marks this process sees as they are meant.
    private static func readable(_ snapshots: [Snapshot]) -> Snapshot? {
        let maps = IDMaps.current
        return snapshots.first { snapshot in
            snapshot.form.owners == maps.description && (snapshot.form.marks != .trusted || !UserNamespace.isEntered)
        }
    }

    /// A blob of a layer, written from its directory, that of the stack `chain`, if there is none.
    ///
    /// Throws ``ImagesError`` `.corrupt` when there is neither.
    package func anyBlob(of diffID: DiffID, in chain: ChainID) throws -> Descriptor {
        if let blob = try presentBlobs(of: diffID).first { return blob }
        let plain = BlobChoice(options: CompressionOptions(.none), isExact: true)
        return try blob(of: diffID, in: chain, as: plain, mayBeElsewhere: false)
    }

    /// The files of the layer, as recorded when it was made: its directory may hold more files that make no difference.
    func members(of diffID: DiffID) throws -> [LayerEntry] {
        guard let list = try store.layers.fileList(diffID) else {
            throw ImagesError(
                .corrupt, "the store does not know the files of layer \(diffID)",
                hint: "Build the image again with --no-cache.")
        }
        return try FileList(decoding: list).entries
    }
}

/// Tells how many bytes were read through it.
private final class CountedStream: ByteStream {
    private let source: any ByteStream
    private let report: (Int64) -> Void
    private var count: Int64 = 0

    init(_ source: any ByteStream, report: @escaping (Int64) -> Void) {
        self.source = source
        self.report = report
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let length = try source.read(into: &buffer)
        count += Int64(length)
        report(count)
        return length
    }
}
