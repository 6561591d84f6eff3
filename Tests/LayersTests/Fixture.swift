import Glibc
import Layers
import Linux
import OCI
import SystemPackage
import Testing

/// A directory that is removed when the test is done with it.
struct Scratch: ~Copyable {
    let path: String
    let directory: Directory

    init() throws {
        var template = Array("/tmp/lamina-layers-XXXXXX".utf8CString)
        unsafe mkdtemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        directory = try Directory(opening: FilePath(path))
    }

    deinit { shell("rm -rf '\(path)'") }

    /// Runs a command in the directory and expects it to succeed.
    func run(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(shell("cd '\(path)' && \(command)") == 0, "\(command)", sourceLocation: sourceLocation)
    }

    /// The output of a command.
    func output(of command: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        run("(\(command)) > .output 2>&1", sourceLocation: sourceLocation)
        defer { shell("rm -f '\(path)/.output'") }
        return String(decoding: try read(".output"), as: UTF8.self)
    }

    func read(_ name: PathBytes) throws -> [UInt8] { try directory.open(name).readAll(limit: 64 << 20) }

    func write(_ name: PathBytes, _ bytes: [UInt8]) throws {
        try directory.open(name, O_CREAT | O_WRONLY | O_TRUNC, mode: 0o644).write(bytes.span)
    }

    func text(_ name: PathBytes) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    func create(_ name: PathBytes) throws -> OwnedDescriptor {
        try directory.open(name, O_CREAT | O_RDWR | O_TRUNC, mode: 0o644)
    }

    func makeDirectory(_ name: PathBytes) throws -> Directory {
        try directory.makeDirectory(name, permissions: 0o755)
        return try directory.directory(name)
    }
}

@discardableResult
func shell(_ command: String) -> CInt { unsafe system(command) }

enum Host {
    static let isRoot = geteuid() == 0
    static let hasPython = shell("python3 -c pass >/dev/null 2>&1") == 0
}

/// A source that gives its bytes in pieces of a certain size.
final class PieceStream: ByteStream {
    private var bytes: ArraySlice<UInt8>
    private let size: Int

    init(_ bytes: [UInt8], size: Int = .max) {
        self.bytes = bytes[...]
        self.size = size
    }

    func read(into buffer: inout [UInt8]) throws -> Int {
        let count = min(size, bytes.count, buffer.count)
        buffer.replaceSubrange(0..<count, with: bytes.prefix(count))
        bytes = bytes.dropFirst(count)
        return count
    }
}

/// Collects what is written.
final class Collector {
    private(set) var bytes: [UInt8] = []

    func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }
}

/// The archive that the script in `testdata` makes under this name.
func archive(_ name: String) throws -> [UInt8] {
    try #require(archives.get()[name], "the script makes no '\(name)'")
}

private let archives = Result {
    let scratch = try Scratch()
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    scratch.run("python3 '\(folder)/testdata/layers/archives.py' .")
    return Dictionary(
        uniqueKeysWithValues: try scratch.directory.names().map { ($0.text, try scratch.read($0)) })
}

/// Bytes that look random but are always the same, some of them repeated.
func noise(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + noiseBlock.count)
    while bytes.count < count {
        // Each repetition begins elsewhere, so that not all is the same block.
        bytes += noiseBlock[(bytes.count / noiseBlock.count * 37 % 1000)...]
    }
    return Array(bytes[..<count])
}

private let noiseBlock: [UInt8] = {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<100_003).map { index in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return index % 3 == 0 ? 0x61 : UInt8(truncatingIfNeeded: state)
    }
}()

/// Writes entries without content, or with the content given, to an archive in memory.
func tar(_ entries: [LayerEntry], content: [PathBytes: String] = [:]) throws -> (bytes: [UInt8], layer: WrittenLayer) {
    let collector = Collector()
    var writer = try LayerWriter(CompressionOptions(.none)) { collector.append($0) }
    for entry in entries {
        if let text = content[entry.path] {
            try writer.add(entry, content: Array(text.utf8).span)
        } else {
            try writer.add(entry)
        }
    }
    let layer = try writer.finish()
    return (collector.bytes, layer)
}
