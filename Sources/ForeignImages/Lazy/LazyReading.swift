import Diagnostics
import Layers
import LazyLayers
import Linux
import OCI
import Registry
import Transports

/// Parts of layers that are fetched without the rest.
enum LazyReading {
    /// The largest table that is read, compressed and not, in bytes.
    static let limit: Int64 = 256 << 20
    /// The largest table that containers/storage reads, in bytes.
    static let clientLimit: Int64 = 150 << 20

    /// The place of a compressed document in a layer, as annotations have it: `offset:length:plain length[:kind]`.
    struct Place {
        let range: Range<Int64>
        let plainLength: Int64
        let kind: Int64?

        /// `nil` for a text that is no place, or one outside of the layer.
        init?(_ text: String?, in layer: Descriptor) {
            let parts = (text ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
            let numbers = parts.compactMap { $0 }
            guard numbers.count == parts.count, (3...4).contains(numbers.count), numbers.allSatisfy({ $0 >= 0 }),
                numbers[0] > 0, numbers[1] > 0, numbers[1] <= layer.size, numbers[0] <= layer.size - numbers[1]
            else { return nil }
            range = numbers[0]..<numbers[0] + numbers[1]
            plainLength = numbers[2]
            kind = numbers.count == 4 ? numbers[3] : nil
        }
    }

    /// The bytes without compression; `nil` when they are damaged, or more than `limit`.
    static func plain(_ bytes: [UInt8], limit: Int64) -> [UInt8]? {
        guard limit <= Self.limit, let stream = try? DecompressedStream(MemoryStream(bytes)) else { return nil }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            guard let count = try? stream.read(into: &buffer) else { return nil }
            if count == 0 { return all }
            all += buffer[..<count]
            guard Int64(all.count) <= limit else { return nil }
        }
    }
}

extension ImageReader {
    /// Part of a blob. Nothing proves that it is the right one. Throws ``ForeignImageError`` `.damaged` when more or less
    /// arrives.
    func bytes(_ range: Range<Int64>, of layer: Descriptor) async throws -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for try await piece in try await origin(of: layer)(range) {
            guard bytes.count + piece.count <= range.count else {
                throw ForeignImageError(.damaged, "the registry sends too much")
            }
            bytes += piece
        }
        guard bytes.count == range.count else {
            throw ForeignImageError(.damaged, "the layer \(layer.digest) is shorter than its manifest says")
        }
        return bytes
    }

    /// The manifest of an image, through indexes. Without `platform` that for this machine, or the first if there is none.
    func manifest(below root: ImageDocument, for platform: Platform?) async throws -> ImageDocument {
        var document = root
        for _ in 0..<4 {
            guard document.isIndex else { return document }
            let index = try Index(parsing: document.bytes, declared: document.descriptor.mediaType)
            document = try await self.document(try Self.choice(index, platform))
        }
        throw ForeignImageError(.damaged, "its indexes are nested more than 4 deep")
    }

    private static func choice(_ index: Index, _ platform: Platform?) throws -> Descriptor {
        if let platform { return try index.manifest(for: platform) }
        if let own = try? index.manifest(for: .host) { return own }
        guard let first = index.manifests.compactMap(\.platform).first(where: { $0.os != "unknown" }) else {
            return try index.manifest(for: .host)
        }
        return try index.manifest(for: first)
    }
}
