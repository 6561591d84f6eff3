import Diagnostics
import Layers
import LazyLayers
import Linux
package import OCI
package import Transports

/// Tells what clients that fetch layers in parts do with an image. Of the layers only their last bytes, tables of contents
/// and the like are fetched.
package struct LazyInspection: Sendable {
    private let reader: any ImageReader

    package init(_ reader: any ImageReader) { self.reader = reader }

    /// Looks into the image for `platform`; without it that for this machine, or the first if there is none.
    package func report(platform: Platform?) async throws -> LazyReport {
        let root = try await reader.root()
        let image = try await reader.manifest(below: root, for: platform)
        let soci = try await SOCIIndex.find(image, below: root, reader)
        var layers: [LazyReport.Layer] = []
        for layer in try image.manifest().layers { layers.append(try await report(layer, soci)) }
        return LazyReport(manifest: image.descriptor, layers: layers)
    }

    private func report(_ layer: Descriptor, _ soci: SOCIIndex?) async throws -> LazyReport.Layer {
        guard layer.mediaType.isLayer else {
            let reason = "its media type is that of no layer"
            return LazyReport.Layer(
                blob: layer, format: layer.mediaType.rawValue,
                verdicts: LazyClient.allCases.map { LazyVerdict($0, .whole, reason) })
        }
        let count = min(layer.size, Int64(ChunkedFooter.size))
        let end = try await reader.bytes(layer.size - count..<layer.size, of: layer)
        let verdicts = [
            try await stargz(layer, end), try await containers(layer, end), SOCIIndex.verdict(layer, soci),
        ]
        return LazyReport.Layer(blob: layer, format: Self.format(layer, end), verdicts: verdicts)
    }

    private static func format(_ layer: Descriptor, _ end: [UInt8]) -> String {
        if ChunkedFooter(end) != nil { return LazyFormat.chunked.rawValue }
        if EStargzFooter.tableOffset(end.suffix(EStargzFooter.size)) != nil { return LazyFormat.estargz.rawValue }
        let compression = layer.mediaType.compression ?? .none
        return compression == .none ? "tar" : compression.rawValue
    }

    // MARK: stargz-snapshotter

    private func stargz(_ layer: Descriptor, _ end: [UInt8]) async throws -> LazyVerdict {
        func whole(_ reason: String) -> LazyVerdict { LazyVerdict(.stargz, .whole, reason) }
        let footer = EStargzFooter.tableOffset(end.suffix(EStargzFooter.size))
        guard let text = layer.annotations[LazyAnnotation.tableDigest] else {
            return whole(
                footer == nil
                    ? "it has no table of contents that this client reads"
                    : "it is eStargz, but the manifest lacks the annotation \(LazyAnnotation.tableDigest)")
        }
        guard let digest = try? Digest(parsing: text) else {
            return whole("the annotation \(LazyAnnotation.tableDigest) is no digest")
        }
        if layer.mediaType.compression == .zstd { return try await ownChunked(layer, digest) }
        guard let footer else {
            let external = Array("STARGZEXTERNALTOC".utf8)
            guard end.indices.contains(where: { end[$0...].starts(with: external) }) else {
                return whole("it does not end as an eStargz layer does")
            }
            return LazyVerdict(
                .stargz, .unknown, "its table of contents is in another image, which was not looked into")
        }
        let tableEnd = layer.size - Int64(EStargzFooter.size)
        guard footer > 0, footer < tableEnd, tableEnd - footer <= LazyReading.limit,
            let table = try? EStargzTable.document(in: await reader.bytes(footer..<tableEnd, of: layer))
        else { return whole("it has no table of contents where its last bytes say") }
        guard Digest(of: table) == digest else {
            return whole("its table of contents is not the one that the annotation names")
        }
        let check = EStargzCheck(table, end: footer)
        if let problem = check.problem { return whole(problem) }
        return LazyVerdict(.stargz, .parts, check.prefetch)
    }

    /// The client's own form of zstd:chunked: its table is like that of eStargz, and other annotations have its place.
    private func ownChunked(_ layer: Descriptor, _ digest: Digest) async throws -> LazyVerdict {
        let key = LazyAnnotation.oldChunkedPrefix + "manifest-position"
        guard let place = LazyReading.Place(layer.annotations[key], in: layer) else {
            return LazyVerdict(.stargz, .whole, "the annotation \(key) is not there, or no place in the layer")
        }
        guard let table = try await plain(place, of: layer), Digest(of: table) == digest else {
            return LazyVerdict(.stargz, .whole, "its table of contents is not the one that the annotation names")
        }
        let check = EStargzCheck(table, end: place.range.lowerBound)
        if let problem = check.problem { return LazyVerdict(.stargz, .whole, problem) }
        return LazyVerdict(.stargz, .parts, check.prefetch)
    }

    // MARK: containers/storage

    private func containers(_ layer: Descriptor, _ end: [UInt8]) async throws -> LazyVerdict {
        func whole(_ reason: String) -> LazyVerdict { LazyVerdict(.containers, .whole, reason) }
        let annotations = layer.annotations
        guard let checksum = annotations[LazyAnnotation.tableChecksum] else {
            if annotations[LazyAnnotation.tableDigest] != nil, layer.mediaType.compression != .zstd {
                return whole("eStargz has no tar-split, without which the layer cannot be rebuilt to the bit")
            }
            if annotations[LazyAnnotation.oldChunkedPrefix + "manifest-checksum"] != nil {
                return whole("its annotations have the names of stargz-snapshotter, which this client does not read")
            }
            return whole(
                ChunkedFooter(end) == nil
                    ? "it has no table of contents that this client reads"
                    : "it is zstd:chunked, but the manifest lacks the annotation \(LazyAnnotation.tableChecksum)")
        }
        guard annotations[LazyAnnotation.tableDigest] == nil else {
            return LazyVerdict(.containers, .failure, "it has the annotations of both eStargz and zstd:chunked")
        }
        return try await chunked(layer, checksum)
    }

    private func chunked(_ layer: Descriptor, _ checksum: String) async throws -> LazyVerdict {
        func failure(_ reason: String) -> LazyVerdict { LazyVerdict(.containers, .failure, reason) }
        let annotations = layer.annotations
        guard let digest = try? Digest(parsing: checksum) else {
            return failure("the annotation \(LazyAnnotation.tableChecksum) is no digest")
        }
        guard let place = LazyReading.Place(annotations[LazyAnnotation.tablePosition], in: layer), place.kind == 1
        else {
            return failure("the annotation \(LazyAnnotation.tablePosition) is not there, or no place in the layer")
        }
        guard max(Int64(place.range.count), place.plainLength) <= LazyReading.clientLimit else {
            return LazyVerdict(.containers, .whole, "its table of contents has more than 150 MiB")
        }
        let packed = try await reader.bytes(place.range, of: layer)
        guard Digest(of: packed) == digest, let document = LazyReading.plain(packed, limit: place.plainLength),
            let table = try? JSON(parsing: document)
        else { return failure("its table of contents is not the one that the annotation names") }
        guard let splitDigest = ChunkedCheck.splitDigest(in: table) else {
            return LazyVerdict(
                .containers, .whole, "it has no tar-split, without which the layer cannot be rebuilt to the bit")
        }
        guard let splitPlace = LazyReading.Place(annotations[LazyAnnotation.splitPosition], in: layer) else {
            return failure("the annotation \(LazyAnnotation.splitPosition) is not there, or no place in the layer")
        }
        let packedSplit = try await reader.bytes(splitPlace.range, of: layer)
        guard Digest(of: packedSplit) == splitDigest,
            let split = LazyReading.plain(packedSplit, limit: splitPlace.plainLength)
        else { return failure("its tar-split is not the one that the table of contents names") }
        if let problem = ChunkedCheck.contradiction(table, split) { return failure(problem) }
        return LazyVerdict(.containers, .parts, "with enable_partial_images in storage.conf and the overlay driver")
    }

    private func plain(_ place: LazyReading.Place, of layer: Descriptor) async throws -> [UInt8]? {
        guard Int64(place.range.count) <= LazyReading.limit else { return nil }
        return LazyReading.plain(try await reader.bytes(place.range, of: layer), limit: place.plainLength)
    }
}
