import Glibc
import Layers
import LazyLayers
import Linux
import OCI
import Registry
import SystemPackage
import Testing
import Transports

@testable import ForeignImages

/// An image in memory whose manifest and layers a test may spoil.
private struct SpoiltImage: ImageReader {
    let manifest: [UInt8]
    let blobs: [Digest: [UInt8]]
    /// The artifacts that refer to the image.
    var referring: [IndexDocument.Entry] = []

    /// An image of one layer.
    init(_ layer: Descriptor, _ bytes: [UInt8], extra: [Digest: [UInt8]] = [:]) {
        let config = Array("{}".utf8)
        let descriptor = Descriptor(mediaType: .ociConfig, digest: Digest(of: config), size: 2)
        manifest =
            Manifest(mediaType: .ociManifest, config: descriptor, layers: [layer]).encoded
        blobs = extra.merging([layer.digest: bytes, descriptor.digest: config]) { $1 }
    }

    func root() async throws -> ImageDocument {
        ImageDocument(
            Descriptor(mediaType: .ociManifest, digest: Digest(of: manifest), size: Int64(manifest.count)), manifest)
    }

    func document(_ descriptor: Descriptor) async throws -> ImageDocument {
        ImageDocument(descriptor, blobs[descriptor.digest] ?? [])
    }

    func copy(
        _ blob: Descriptor, into sink: any BlobSink, progress: @escaping @Sendable (Int64) -> Void
    ) async throws {}

    func origin(of blob: Descriptor) async throws -> BlobOrigin {
        let bytes = blobs[blob.digest] ?? []
        return { range in
            Registry.ByteStream(start: {
                var piece: [UInt8]? = Array(bytes.prefix(Int(range.upperBound)).dropFirst(Int(range.lowerBound)))
                return { piece.take() }
            })
        }
    }

    func repository(with blob: Descriptor, on registry: String) async throws -> String? { nil }

    func referrers(of document: Descriptor) async throws -> [IndexDocument.Entry] { referring }
}

@Suite("Clients that fetch layers in parts")
struct LazyInspectionTests {
    private static let archive: SharedDescriptor = {
        let name = "/tmp/lamina-lazy-inspection-\(UInt64.random(in: 0...UInt64.max))"
        defer { _ = unsafe unlink(name) }
        do {
            let file = SharedDescriptor(
                try .open(
                    FilePath(name), .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite))
            var writer = try LayerWriter(CompressionOptions(.none, threads: 1)) { try file.descriptor.write($0) }
            try writer.add(LayerEntry(path: "d", kind: .directory, permissions: 0o755))
            try writer.add(
                LayerEntry(path: "d/a", kind: .regular, permissions: 0o644, modified: FileTime(seconds: 5)),
                content: Array("hello".utf8).span)
            _ = try writer.finish()
            return file
        } catch {
            fatalError("the archive of the tests cannot be written: \(error)")
        }
    }()

    private final class Collector: @unchecked Sendable {
        // Unchecked: a layer is written by one thread at a time, and read when it is whole.
        var bytes: [UInt8] = []
    }

    private static func layer(_ format: LazyFormat) throws -> (blob: Descriptor, bytes: [UInt8]) {
        let collector = Collector()
        let sink = { @Sendable (piece: Span<UInt8>) in
            for index in piece.indices { collector.bytes.append(piece[index]) }
        }
        let blob =
            switch format {
            case .estargz: try EStargzLayer.write(archive, threads: 1, to: sink).blob
            case .chunked: try ChunkedLayer.write(archive, threads: 1, to: sink).blob
            }
        return (blob, collector.bytes)
    }

    private static func verdicts(_ image: SpoiltImage) async throws -> [LazyClient: LazyVerdict] {
        let report = try await LazyInspection(image).report(platform: nil)
        #expect(report.layers.count == 1)
        return Dictionary(uniqueKeysWithValues: try #require(report.layers.first).verdicts.map { ($0.client, $0) })
    }

    /// An image of one layer, with annotations that are set or, with `nil`, removed.
    private static func image(_ format: LazyFormat, _ changes: [String: String?] = [:], type: MediaType? = nil) throws
        -> SpoiltImage
    {
        let (blob, bytes) = try layer(format)
        var annotations = blob.annotations
        for (key, value) in changes { annotations[key] = value }
        return SpoiltImage(
            Descriptor(
                mediaType: type ?? blob.mediaType, digest: blob.digest, size: blob.size, annotations: annotations),
            bytes)
    }

    @Test("eStargz is fetched in parts by the one client, zstd:chunked by the other")
    func formats() async throws {
        let stargz = try await Self.verdicts(Self.image(.estargz))
        #expect(stargz[.stargz]?.fetch == .parts)
        #expect(stargz[.stargz]?.reason.contains("nothing is fetched first") == true)
        #expect(stargz[.containers]?.fetch == .whole)
        #expect(stargz[.containers]?.reason.contains("tar-split") == true)
        let chunked = try await Self.verdicts(Self.image(.chunked))
        #expect(chunked[.containers]?.fetch == .parts, "\(chunked[.containers]?.reason ?? "")")
        #expect(chunked[.stargz]?.fetch == .whole)
        #expect(chunked[.soci]?.fetch == .whole)
    }

    private static let wrongDigest = Digest(of: "another").description

    private static let cases: [(LazyFormat, [String: String?], LazyClient, LazyVerdict.Fetch, String)] = [
        (.estargz, [LazyAnnotation.tableDigest: nil], .stargz, .whole, "lacks the annotation"),
        (.estargz, [LazyAnnotation.tableDigest: "x"], .stargz, .whole, "is no digest"),
        (.estargz, [LazyAnnotation.tableDigest: wrongDigest], .stargz, .whole, "not the one"),
        (.chunked, [LazyAnnotation.tableChecksum: nil], .containers, .whole, "lacks the annotation"),
        (
            .chunked, [LazyAnnotation.tableChecksum: wrongDigest], .containers, .failure,
            "table of contents is not the one"
        ),
        (.chunked, [LazyAnnotation.tablePosition: nil], .containers, .failure, "manifest-position"),
        (.chunked, [LazyAnnotation.tablePosition: "1:2:3:9"], .containers, .failure, "manifest-position"),
        (.chunked, [LazyAnnotation.tablePosition: "9999999:2:3:1"], .containers, .failure, "manifest-position"),
        (.chunked, [LazyAnnotation.splitPosition: nil], .containers, .failure, "tarsplit-position"),
        (.chunked, [LazyAnnotation.splitPosition: "1:2:3"], .containers, .failure, "tar-split is not the one"),
        (.chunked, [LazyAnnotation.tableDigest: wrongDigest], .containers, .failure, "both"),
    ]

    @Test("a defect is told", arguments: cases.indices) func defects(index: Int) async throws {
        let (format, changes, client, fetch, words) = Self.cases[index]
        let verdict = try #require(try await Self.verdicts(Self.image(format, changes))[client])
        #expect(verdict.fetch == fetch)
        #expect(verdict.reason.contains(words), "\(verdict.reason)")
    }

    @Test("a SOCI index says for which layers there are places")
    func soci() async throws {
        let config = Descriptor(
            mediaType: MediaType(rawValue: "application/vnd.oci.empty.v1+json"), digest: Digest(of: "{}"), size: 2)
        let (blob, bytes) = try Self.layer(.estargz)
        let place = Descriptor(
            mediaType: MediaType(rawValue: "application/octet-stream"), digest: Digest(of: "z"), size: 1,
            annotations: ["com.amazon.soci.image-layer-digest": blob.digest.description])
        let index = Manifest(mediaType: .ociManifest, config: config, layers: [place]).encoded
        let descriptor = Descriptor(mediaType: .ociManifest, digest: Digest(of: index), size: Int64(index.count))
        var entry = IndexDocument.Entry(descriptor)
        entry.artifactType = "application/vnd.amazon.soci.index.v1+json"
        var image = SpoiltImage(blob, bytes, extra: [descriptor.digest: index])
        image.referring = [entry]
        let verdict = try #require(try await Self.verdicts(image)[.soci])
        #expect(verdict.fetch == .parts)
        #expect(verdict.reason.contains("soci_v1.enable"))
    }

    @Test("headers that are not those of the table of contents are told")
    func contradictions() throws {
        func entry(_ members: (String, JSON?)...) -> JSON {
            .object(JSONObject(members.compactMap { key, value in value.map { (key, $0) } }))
        }
        func split(_ entries: [LayerEntry]) -> [UInt8] {
            var lines: [String] = []
            for item in entries {
                lines.append(#"{"type":2,"payload":"\#(Base64.text(Tar.header(of: item)))","position":0}"#)
                lines.append(#"{"type":1,"name":"x","payload":null,"position":1}"#)
            }
            return Array((lines.joined(separator: "\n") + "\n").utf8)
        }
        func table(_ items: [JSON]) -> JSON { .object(JSONObject([("entries", .array(items))])) }
        let directory = LayerEntry(path: "d", kind: .directory, permissions: 0o755, owner: 7)
        let item = entry(
            ("type", .string("dir")), ("name", .string("d/")), ("mode", .integer(0o755)), ("uid", .integer(7)))
        #expect(ChunkedCheck.contradiction(table([item]), split([directory])) == nil)
        #expect(ChunkedCheck.contradiction(table([item, item]), split([directory]))?.contains("twice") == true)
        #expect(ChunkedCheck.contradiction(table([item]), split([]))?.contains("which its tar-split has not") == true)
        #expect(
            ChunkedCheck.contradiction(table([]), split([directory]))?.contains("which its table of contents has not")
                == true)
        var other = directory
        other.owner = 8
        #expect(ChunkedCheck.contradiction(table([item]), split([other]))?.contains("'uid' of 'd/'") == true)
        #expect(ChunkedCheck.contradiction(table([item]), Array("x".utf8)) == "its tar-split cannot be read")
    }
}
