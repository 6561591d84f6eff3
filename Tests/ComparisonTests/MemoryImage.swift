import Comparison
import Inspector
import Layers
import Linux
import OCI
import SystemPackage

/// Layers whose blobs are in memory.
struct MemoryContents: LayerContents {
    let blobs: [[UInt8]]

    func directory(of layer: Int) throws -> FilePath? { nil }

    func blob(of layer: Int) throws -> (any ByteStream)? { PrefixedStream(blobs[layer][...], EmptyStream()) }
}

private final class EmptyStream: ByteStream {
    func read(into buffer: inout [UInt8]) throws -> Int { 0 }
}

private final class Collected { var bytes: [UInt8] = [] }

/// A file of a layer with its content.
struct MemoryFile {
    var entry: LayerEntry
    var content = ""

    static func file(
        _ path: PathBytes, _ content: String, mode: UInt32 = 0o644, owner: UInt32 = 0, time: Int64 = 1000
    ) -> MemoryFile {
        MemoryFile(
            entry: LayerEntry(
                path: path, kind: .regular, permissions: mode, owner: owner, modified: FileTime(seconds: time)),
            content: content)
    }

    static func other(
        _ kind: LayerEntry.Kind, _ path: PathBytes, to target: PathBytes = "", mode: UInt32 = 0o755
    ) -> MemoryFile {
        MemoryFile(entry: LayerEntry(path: path, kind: kind, permissions: mode, linkTarget: target))
    }
}

/// An image with these layers, bottom first.
func image(
    _ layers: [[MemoryFile]], named name: String = "image", origins: [LayerOrigin?] = [],
    configure: (inout ImageConfig) -> Void = { _ in }
) throws -> ComparedImage {
    var config = ImageConfig(platform: Platform(os: "linux", architecture: "amd64"))
    var inputs: [AnalyzedLayerInput] = []
    var blobs: [[UInt8]] = []
    for files in layers {
        let collected = Collected()
        var writer = try LayerWriter(CompressionOptions(.none)) { bytes in
            for index in bytes.indices { collected.bytes.append(bytes[index]) }
        }
        for file in files {
            if file.entry.kind == .regular {
                try writer.add(file.entry, content: Array(file.content.utf8).span)
            } else {
                try writer.add(file.entry)
            }
        }
        let written = try writer.finish()
        config.diffIDs.append(written.diffID)
        inputs.append(
            AnalyzedLayerInput(
                diffID: written.diffID, fileList: try written.files.decoded(), createdBy: "RUN \(inputs.count)"))
        blobs.append(collected.bytes)
    }
    configure(&config)
    return ComparedImage(
        name: name,
        image: InspectedImage(config: config, layers: inputs, contents: MemoryContents(blobs: blobs)), origins: origins)
}
