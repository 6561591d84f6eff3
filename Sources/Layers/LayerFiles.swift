/// Passes on the bytes of a file and returns their hash, see ``LayerEntry/contentHash``.
package typealias LayerFileContent = ((Span<UInt8>) throws -> Void) throws -> UInt64

extension LayerReader {
    /// Reads the files of a layer one by one, in the order of the archive, until `body` returns `false`.
    ///
    /// Paths are those of the layer's file list: links on the way are followed. A path may come more than once; the
    /// last one counts. Content that `body` does not ask for is skipped.
    package static func forEachFile(
        in source: any ByteStream, _ body: (LayerEntry, LayerFileContent) throws -> Bool
    ) throws {
        var reader = try LayerReader(source, computesDigest: false)
        var links = LayerLinks()
        while let entry = try reader.next() {
            try links.add(entry)
            guard let placed = links.newest else { continue }
            guard try body(placed, { sink in try reader.readContent(sink) }) else { return }
        }
    }
}
