import Diagnostics
import OCI

/// One copy on its way: the documents of an image from the bottom up.
struct CopyRun: Sendable {
    let reader: any ImageReader
    let writer: any ImageWriter
    let report: @Sendable (TransferEvent) -> Void
    let keepsDigests: Bool
    let leavesOutMissing: Bool
    /// Whether what refers to a document is copied with it.
    var includesReferrers = false
    let layers: LayerConversion

    /// Copies a document with all below it; of an index only the entries in `wanted` if it is given.
    func copy(
        _ document: ImageDocument, keeping wanted: Set<Digest>? = nil, isRoot: Bool, depth: Int
    ) async throws -> Descriptor {
        guard depth <= 4 else { throw TransportsError(.unsupported, "its indexes are nested more than 4 deep") }
        try Task.checkCancellation()
        let written =
            document.isIndex
            ? try await copy(index: document, keeping: wanted, isRoot: isRoot, depth: depth)
            : try await copy(manifest: document, isRoot: isRoot)
        if includesReferrers { try await copyReferrers(of: document, writtenAs: written, depth: depth) }
        return written
    }

    /// Copies what refers to a document that was written, and in turn what refers to that.
    private func copyReferrers(of document: ImageDocument, writtenAs written: Descriptor, depth: Int) async throws {
        for referrer in try await reader.referrers(of: document.descriptor) {
            guard written.digest == document.descriptor.digest else {
                throw TransportsError(
                    .digestChanged,
                    "what refers to \(document.descriptor.digest) would be lost, as the copy is \(written.digest)",
                    hint: "Leave out --referrers, or the option that changes the image.")
            }
            let child = try await reader.document(referrer.descriptor)
            let copied = try await copy(child, isRoot: false, depth: depth + 1)
            try await writer.note(referrer.pointing(to: copied), on: written.digest)
        }
    }

    private func copy(manifest document: ImageDocument, isRoot: Bool) async throws -> Descriptor {
        let converted = try await layers.convert(document, from: reader)
        try check(converted.document, replaces: document)
        report(.resolved(converted.document.descriptor, layers: converted.blobs))
        return try await writer.write(
            converted.document, converted.blobs, from: converted.source, isRoot: isRoot, report: report)
    }

    private func copy(
        index document: ImageDocument, keeping wanted: Set<Digest>?, isRoot: Bool, depth: Int
    ) async throws -> Descriptor {
        let original = try IndexDocument(parsing: document.bytes)
        var index = original
        if let wanted { index.entries.removeAll { !wanted.contains($0.descriptor.digest) } }
        var renamed: [Digest: Digest] = [:]
        var missing: TransportsError?
        var isEmpty = true
        for (place, entry) in index.entries.enumerated() {
            if layers.form == .docker, entry.isAttestation {
                throw TransportsError(
                    .unsupported, "Docker's format has no place for the attestations of the image",
                    hint: "Leave --format docker out, or name one platform with --platform.")
            }
            let written: Descriptor
            do {
                let child = try await reader.document(entry.descriptor)
                written = try await copy(child, isRoot: false, depth: depth + 1)
            } catch let error as TransportsError where mayLack(entry.descriptor, of: document, error) {
                missing = missing ?? error
                continue
            }
            isEmpty = false
            guard written.digest != entry.descriptor.digest else { continue }
            index.entries[place] = entry.pointing(to: written)
            renamed[entry.descriptor.digest] = written.digest
        }
        if isEmpty, let missing { throw missing }
        for (place, entry) in index.entries.enumerated() {
            if let subject = entry.subject, let new = renamed[subject] { index.entries[place].subject = new }
        }
        if let type = layers.form?.type(for: index.mediaType), type != index.mediaType {
            index.mediaType = type
            if layers.form == .docker {
                index.annotations = [:]
                for place in index.entries.indices { index.entries[place].removeAnnotations() }
            }
        }
        let bytes = index == original ? document.bytes : index.encoded()
        let descriptor = Descriptor(
            mediaType: index.mediaType, digest: Digest(of: bytes), size: Int64(bytes.count),
            platform: document.descriptor.platform)
        let result = ImageDocument(index == original ? document.descriptor : descriptor, bytes)
        try check(result, replaces: document)
        return try await writer.write(result, [], from: BlobProvider(reader), isRoot: isRoot, report: report)
    }

    /// Whether an entry that the source does not have is passed over.
    private func mayLack(_ entry: Descriptor, of index: ImageDocument, _ error: TransportsError) -> Bool {
        guard leavesOutMissing, error.code == .imageNotFound else { return false }
        let own = try? Index(parsing: index.bytes, declared: index.descriptor.mediaType).manifest(for: .host)
        return entry.digest != own?.digest
    }

    private func check(_ new: ImageDocument, replaces old: ImageDocument) throws {
        guard keepsDigests, !old.isMade, new.descriptor.digest != old.descriptor.digest else { return }
        throw TransportsError(
            .digestChanged, "the digest \(old.descriptor.digest) cannot be kept by a copy in this form",
            hint: "Leave out --preserve-digests, or the option that changes the image.")
    }
}
