import Diagnostics
package import Layers
package import LazyLayers
package import OCI

/// A copy of an image from one place to another, without the store.
///
/// Documents are passed on byte for byte unless something forces a change: fewer platforms, other media types, another
/// compression.
package struct ImageCopy: Sendable {
    /// The platforms to copy; all if there are none, or where the destination takes one image only, this machine's.
    package var platforms: [Platform] = []
    /// Whether all platforms are wanted, or nothing.
    package var requiresAll = false
    /// The family of media types at the destination; `nil` keeps those of the source.
    package var form: MediaForm?
    /// The compression of all layers at the destination; `nil` keeps that of the source.
    package var compression: CompressionOptions?
    /// The format of all layers at the destination, if it is one that clients fetch in parts; then
    /// ``compression`` is the format's.
    package var format: LazyFormat?
    /// Whether a change of a digest is an error.
    package var keepsDigests = false

    /// Whether entries of an index that the source does not have are passed over, as long as the one for this machine is
    /// there, or at least one.
    package var leavesOutMissing = false

    /// Whether what refers to the image and to its platforms, such as signatures, is copied with it.
    package var includesReferrers = false

    package init() {}

    /// Whether a place that has the digest of the source has all that would be copied.
    package var isIdentity: Bool { platforms.isEmpty && form == nil && compression == nil && !includesReferrers }

    /// Copies the image.
    ///
    /// - Returns: the root as the destination has it.
    /// - Throws: ``TransportsError``, and the errors of both sides.
    package func run(
        from reader: any ImageReader, to writer: any ImageWriter,
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> Descriptor {
        try checkOptions(writer.capacity)
        let root = try await chosen(reader, writer.capacity)
        let run = CopyRun(
            reader: reader, writer: writer, report: report, keepsDigests: keepsDigests,
            leavesOutMissing: leavesOutMissing, includesReferrers: includesReferrers,
            layers: LayerConversion(form: form, compression: compression, format: format, capacity: writer.capacity))
        let written = try await run.copy(root.document, keeping: root.entries, isRoot: true, depth: 0)
        try await writer.finish()
        return written
    }

    private func checkOptions(_ capacity: WriterCapacity) throws {
        if compression?.compression == .zstd, !capacity.takesZstd || form == .docker {
            let place = capacity.takesZstd ? "Docker's format has" : "a Docker archive may have"
            throw TransportsError(.unsupported, "\(place) no zstd layers", hint: "Compress them with gzip.")
        }
        guard capacity.takesReferrers || !includesReferrers else {
            throw TransportsError(
                .unsupported, "the destination has no place for what refers to an image",
                hint: "Leave --referrers out, or copy to a registry or an OCI layout.")
        }
        guard capacity.takesIndexes || platforms.count < 2 else {
            throw TransportsError(
                .unsupported, "the destination holds one platform, and \(platforms.count) are asked for",
                hint: "Name one with --platform, or take oci-archive:.")
        }
    }

    // MARK: Platforms

    /// The part that is copied: the root, one manifest of it, or some of its entries.
    private func chosen(
        _ reader: any ImageReader, _ capacity: WriterCapacity
    ) async throws -> (document: ImageDocument, entries: Set<Digest>?) {
        let root = try await reader.root()
        guard root.isIndex else {
            if let platform = platforms.first { try await check(root, is: platform, reader) }
            return (root, nil)
        }
        if platforms.count > 1 { return (root, try entries(of: root)) }
        if platforms.isEmpty, capacity.takesIndexes { return (root, nil) }
        guard !requiresAll else {
            throw TransportsError(
                .unsupported, "the destination holds one platform, and the image has several",
                hint: "Name one with --platform, or take oci-archive:.")
        }
        return (try await manifest(below: root, for: platforms.first ?? .host, reader), nil)
    }

    private func manifest(
        below root: ImageDocument, for platform: Platform, _ reader: any ImageReader
    ) async throws -> ImageDocument {
        var current = root
        for _ in 0..<4 where current.isIndex {
            let index = try Index(parsing: current.bytes, declared: current.descriptor.mediaType)
            current = try await reader.document(try index.manifest(for: platform))
        }
        guard !current.isIndex else {
            throw TransportsError(.unsupported, "its indexes are nested more than 4 deep")
        }
        return current
    }

    /// The entries of an index for the platforms, with what is said about them.
    private func entries(of root: ImageDocument) throws -> Set<Digest> {
        let index = try Index(parsing: root.bytes, declared: root.descriptor.mediaType)
        var wanted = Set(try platforms.map { try index.manifest(for: $0).digest })
        for entry in try IndexDocument(parsing: root.bytes).entries where entry.isAttestation {
            if let subject = entry.subject, wanted.contains(subject) { wanted.insert(entry.descriptor.digest) }
        }
        return wanted
    }

    /// Throws when an image that is no index is for another platform.
    private func check(_ document: ImageDocument, is platform: Platform, _ reader: any ImageReader) async throws {
        let sink = MemorySink(limit: BlobTree.documentLimit)
        try await reader.copy(document.manifest().config, into: sink) { _ in }
        let found = try ImageConfig(parsing: sink.bytes).platform
        guard platforms.count == 1, found.distance(from: platform) != nil else {
            throw TransportsError(
                .noPlatform,
                "the image is for \(found) alone, not for \(platforms.map(\.description).joined(separator: ", "))",
                hint: "Leave --platform out, or name another image.")
        }
    }
}
