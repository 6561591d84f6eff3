import Diagnostics
import Inspector
import Layers
import LazyLayers
import OCI
import SystemPackage
import Transports

/// The layers of an image outside of the store.
struct ForeignContents: LayerContents {
    let reader: any ImageReader
    let layers: [Descriptor]
    /// By layer.
    let tables: [Int: LayerTable]
    let sum: ContentSum

    func directory(of layer: Int) throws -> FilePath? { nil }

    func blob(of layer: Int) throws -> (any ByteStream)? {
        try LayerBlob(reader: reader, descriptor: layers[layer]).open()
    }

    func file(_ entry: LayerEntry, of layer: Int) throws -> (any ByteStream)? {
        guard let chunks = tables[layer]?.chunks(of: entry) else { return nil }
        return ChunkStream(chunks, of: LayerBlob(reader: reader, descriptor: layers[layer]))
    }
}

/// The bytes of a file whose pieces are compressed each by itself.
private final class ChunkStream: ByteStream {
    private let blob: LayerBlob
    private var chunks: ArraySlice<LayerTable.Chunk>
    private var current: DecompressedStream?
    /// The bytes of the current piece that are still to come.
    private var left: Int64 = 0

    init(_ chunks: [LayerTable.Chunk], of blob: LayerBlob) {
        self.chunks = chunks[...]
        self.blob = blob
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        while true {
            if left == 0 {
                guard let chunk = chunks.popFirst() else { return 0 }
                let stream = try DecompressedStream(blob.open(chunk.range))
                try Self.skip(chunk.skipped, of: stream)
                current = stream
                left = chunk.size
                continue
            }
            let count = try current?.read(into: &buffer) ?? 0
            guard count > 0 else { throw ForeignImageError(.damaged, "a file of the layer ends too early") }
            let taken = Int(min(left, Int64(count)))
            left -= Int64(taken)
            return taken
        }
    }

    private static func skip(_ count: Int64, of stream: DecompressedStream) throws {
        var rest = count
        while rest > 0 {
            var buffer = [UInt8](repeating: 0, count: Int(min(rest, 64 << 10)))
            let count = try stream.read(into: &buffer)
            guard count > 0 else { throw ForeignImageError(.damaged, "a piece of the layer ends too early") }
            rest -= Int64(count)
        }
    }
}
