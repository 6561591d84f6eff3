import Inspector
import Layers
import Linux
import OCI
import SystemPackage

/// Layers whose blobs are in memory.
private struct MemoryContents: LayerContents {
    let blobs: [[UInt8]]

    func directory(of layer: Int) throws -> FilePath? { nil }

    func blob(of layer: Int) throws -> (any ByteStream)? { PrefixedStream(blobs[layer][...], EmptyStream()) }
}

private final class EmptyStream: ByteStream {
    func read(into buffer: inout [UInt8]) throws -> Int { 0 }
}

/// Collects what is written.
private final class Collected { var bytes: [UInt8] = [] }

/// An image of layers with these files.
func makeImage(bytes layers: [[(LayerEntry, [UInt8])]]) throws -> InspectedImage {
    var config = ImageConfig(platform: .host)
    var inputs: [AnalyzedLayerInput] = []
    var blobs: [[UInt8]] = []
    for files in layers {
        let collected = Collected()
        var writer = try LayerWriter(CompressionOptions(.gzip)) { bytes in
            for index in bytes.indices { collected.bytes.append(bytes[index]) }
        }
        for (entry, content) in files {
            if entry.kind == .regular {
                try writer.add(entry, content: content.span)
            } else {
                try writer.add(entry)
            }
        }
        let written = try writer.finish()
        config.diffIDs.append(written.diffID)
        inputs.append(AnalyzedLayerInput(diffID: written.diffID, fileList: try written.files.decoded()))
        blobs.append(collected.bytes)
    }
    return InspectedImage(config: config, layers: inputs, contents: MemoryContents(blobs: blobs))
}

func makeImage(_ layers: [[(LayerEntry, String)]]) throws -> InspectedImage {
    try makeImage(bytes: layers.map { $0.map { ($0.0, Array($0.1.utf8)) } })
}

/// A program in ELF of 64 bits with these sections, padded to the size from which programs are looked at.
func makeProgram(_ sections: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(value >> ($0 * 8) & 255) } }
    var names: [UInt8] = [0]
    var headers: [UInt8] = [UInt8](repeating: 0, count: 64)
    var content: [UInt8] = []
    let start = 64
    for section in sections + [(".shstrtab", [])] {
        let name = names.count
        names += Array(section.name.utf8) + [0]
        content += [UInt8](repeating: 0, count: (16 - content.count % 16) % 16)
        let bytes = section.name == ".shstrtab" ? names : section.bytes
        headers += number(name, 4) + number(1, 4) + number(0, 16) + number(start + content.count, 8)
        headers += number(bytes.count, 8) + number(0, 24)
        content += bytes
    }
    content += [UInt8](repeating: 0, count: max(16, (64 << 10) - content.count) / 16 * 16)
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    file += number(2, 2) + number(62, 2) + number(1, 4) + number(0, 16) + number(start + content.count, 8)
    file += number(0, 4) + number(64, 2) + number(56, 2) + number(0, 2) + number(64, 2)
    file += number(sections.count + 2, 2) + number(sections.count + 1, 2)
    return file + content + headers
}

/// A header of rpm with a name, a version and the release 2, and so many bytes that no field refers to.
func makeRPMHeader(_ name: String, _ version: String, padding: Int = 0) -> [UInt8] {
    func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> ((3 - $0) * 8) & 255) } }
    let data = Array("\(name)\u{0}\(version)\u{0}2\u{0}".utf8) + [UInt8](repeating: 7, count: padding)
    let starts = [0, name.utf8.count + 1, name.utf8.count + version.utf8.count + 2]
    var bytes = number(3) + number(data.count)
    for (tag, offset) in zip([1000, 1001, 1002], starts) {
        bytes += number(tag) + number(6) + number(offset) + number(1)
    }
    return bytes + data
}
