import Comparison
import Console
import Glibc
import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@testable import Viewer

/// Layers without any bytes.
struct NoContents: LayerContents {
    func directory(of layer: Int) throws -> FilePath? { nil }
    func blob(of layer: Int) throws -> (any ByteStream)? { nil }
}

private final class CollectedBytes { var bytes: [UInt8] = [] }

/// The blob of an image with one layer.
private struct OneBlob: LayerContents {
    let bytes: [UInt8]

    func directory(of layer: Int) throws -> FilePath? { nil }
    func blob(of layer: Int) throws -> (any ByteStream)? { PrefixedStream(bytes[...], NoBytes()) }
}

private final class NoBytes: ByteStream {
    func read(into buffer: inout [UInt8]) throws -> Int { 0 }
}

enum ViewFixture {
    private static func file(_ path: PathBytes, _ size: Int64, _ hash: UInt64 = 1, mode: UInt32 = 0o644) -> LayerEntry {
        LayerEntry(
            path: path, kind: .regular, permissions: mode, owner: path == "srv/hash" ? 33 : 0, size: size,
            contentHash: hash)
    }

    private static func directory(_ path: PathBytes) -> LayerEntry {
        LayerEntry(path: path, kind: .directory, permissions: 0o755)
    }

    static let layers: [(String?, [LayerEntry])] = [
        (
            nil,
            [
                directory("bin"), file("bin/busybox", 1_980_000, mode: 0o4755),
                LayerEntry(path: "bin/sh", kind: .symlink, permissions: 0o777, linkTarget: "busybox"),
                directory("etc"), file("etc/passwd", 340), file("etc/hosts", 120),
                LayerEntry(path: "etc/hosts2", kind: .hardLink, linkTarget: "etc/hosts"),
            ]
        ),
        (
            "RUN /bin/sh -c apt-get update\n  && apt-get install tool # buildkit",
            [
                directory("var"), directory("var/cache"), file("var/cache/big.bin", 30_000_000), directory("srv"),
                file("srv/日本語.txt", 2_500), file("srv/e\u{301}te\u{301}.txt", 10), file("srv/hash", 77, mode: 0o600),
                file(PathBytes(Array("srv/\u{1b}[31mred\nname".utf8) + [0xff]), 1), file("etc/passwd", 360, 2),
            ]
        ),
        (
            "RUN /bin/sh -c rm -rf /var/cache # buildkit",
            [
                LayerEntry(path: "var/cache", kind: .whiteout), file("etc/hosts", 120, mode: 0o600),
                file("srv/a-file-with-quite-a-long-name-that-no-narrow-pane-has-room-for.json", 4_096),
            ]
        ),
    ]

    static let subject: ViewedImage = {
        let inputs = layers.enumerated().map { index, layer in
            AnalyzedLayerInput(
                diffID: DiffID(Digest(of: "layer \(index)")), fileList: FileList(layer.1, tarSize: 10_240),
                createdBy: layer.0, blobSize: 1_000_000)
        }
        let image = InspectedImage(config: ImageConfig(platform: .host), layers: inputs, contents: NoContents())
        return ViewedImage(
            name: "registry.example/app:1", image: image,
            sources: [
                nil,
                ViewedImage.Source(
                    origin: LayerOrigin(lines: 2...3, text: "RUN apt-get update \\\n  && apt-get install tool")),
                ViewedImage.Source(origin: LayerOrigin(lines: 4...4, text: "RUN rm -rf /var/cache")),
            ])
    }()

    /// An image with packages of dpkg, one of them with a hostile name, and of Python.
    static func packagedImage() throws -> InspectedImage {
        let status = "Package: libc6\nVersion: 2.36-9\nInstalled-Size: 12986\n\nPackage: \u{1b}[31mred\nVersion: 1\n"
        let collected = CollectedBytes()
        var writer = try LayerWriter(CompressionOptions(.none)) { bytes in
            for index in bytes.indices { collected.bytes.append(bytes[index]) }
        }
        try writer.add(
            LayerEntry(path: "var/lib/dpkg/status", kind: .regular, permissions: 0o644),
            content: Array(status.utf8).span)
        try writer.add(
            LayerEntry(
                path: "usr/lib/python3/dist-packages/pip-23.0.dist-info/METADATA", kind: .regular, permissions: 0o644),
            content: Array("Name: pip\nVersion: 23.0\n".utf8).span)
        let written = try writer.finish()
        return InspectedImage(
            config: ImageConfig(platform: .host),
            layers: [AnalyzedLayerInput(diffID: written.diffID, fileList: try written.files.decoded())],
            contents: OneBlob(bytes: collected.bytes))
    }

    /// The image of the first layer, and that of all.
    static let pair: ImagePair = {
        let inputs = layers.enumerated().map { index, layer in
            AnalyzedLayerInput(
                diffID: DiffID(Digest(of: "layer \(index)")), fileList: FileList(layer.1, tarSize: 10_240))
        }
        return ImagePair(
            old: InspectedImage(
                config: ImageConfig(platform: .host), layers: Array(inputs.prefix(1)), contents: NoContents()),
            new: InspectedImage(config: ImageConfig(platform: .host), layers: inputs, contents: NoContents()))
    }()

    static func pairView(_ columns: Int, _ rows: Int, _ words: String = "") -> ImageView {
        let subject = ViewedImage(names: ("app:1", "app:2"), pair: pair)
        var view = ImageView(subject, size: WindowSize(columns: columns, rows: rows))
        for event in events(words) { _ = view.handle(event) }
        return view
    }

    static let sizes = [(60, 15), (80, 24), (140, 40)]

    /// The events of words: names of keys, `^x` for ctrl, `'text` for typed text, `click:C,R`, `size:CxR`, else letters.
    static func events(_ words: String) -> [TerminalEvent] {
        words.split(separator: " ").flatMap { word -> [TerminalEvent] in
            let names: [Substring: TerminalKey] = [
                "tab": .tab, "enter": .enter, "esc": .escape, "up": .up, "down": .down, "left": .left, "right": .right,
                "pgup": .pageUp, "pgdn": .pageDown, "home": .home, "end": .end, "space": .character(" "),
                "^space": .control(" "), "back": .backspace,
            ]
            if let key = names[word] { return [.key(key)] }
            if word.hasPrefix("^"), let letter = word.last { return [.key(.control(letter))] }
            if word.hasPrefix("'") { return word.dropFirst().map { .key(.character($0)) } }
            let numbers = word.split { !$0.isNumber }.compactMap { Int($0) }
            if word.hasPrefix("click:") { return [.click(column: numbers[0], row: numbers[1])] }
            if word.hasPrefix("size:") { return [.resize(columns: numbers[0], rows: numbers[1])] }
            return word.map { .key(.character($0)) }
        }
    }

    static func view(_ columns: Int, _ rows: Int, _ words: String = "") -> ImageView {
        var view = ImageView(subject, size: WindowSize(columns: columns, rows: rows))
        for event in events(words) { _ = view.handle(event) }
        return view
    }
}

/// Compares a text with a file of `testdata`, or writes the file where UPDATE_GOLDEN is set.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    let directory = try Directory(opening: FilePath("\(root)/testdata/inspector"))
    if let update = unsafe getenv("UPDATE_GOLDEN"), unsafe update.pointee != 0 {
        try directory.open(PathBytes(name), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).write(Array(text.utf8).span)
    }
    let expected = String(decoding: try directory.open(PathBytes(name)).readAll(limit: 1 << 22), as: UTF8.self)
    #expect(text == expected, sourceLocation: sourceLocation)
}
