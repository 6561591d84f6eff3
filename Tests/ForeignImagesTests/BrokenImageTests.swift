import Diagnostics
import ForeignImages
import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing
import Transports

/// Archives with wrong bytes are refused with a sentence or read as what they have become; nothing traps or hangs.
@Suite final class BrokenImageTests {
    private let parent: Directory
    private let folder: FilePath
    private let name = PathBytes("broken-image-test-\(UInt64.random(in: 0...UInt64.max))")

    init() throws {
        folder = (try? Directory(opening: "/dev/shm")) != nil ? "/dev/shm" : "/tmp"
        parent = try Directory(opening: folder)
        try parent.makeDirectory(name, permissions: 0o700)
    }

    deinit { try? parent.removeTree(name) }

    private final class Collected { var bytes: [UInt8] = [] }

    private static func tar(_ files: [(LayerEntry, [UInt8])], _ compression: Compression = .none) throws -> (
        [UInt8], DiffID
    ) {
        let collected = Collected()
        var writer = try LayerWriter(CompressionOptions(compression, threads: 1)) { bytes in
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
        return (collected.bytes, written.diffID)
    }

    private static func file(_ path: PathBytes, _ content: [UInt8]) -> (LayerEntry, [UInt8]) {
        (LayerEntry(path: path, kind: .regular, permissions: 0o644), content)
    }

    /// An archive of Docker's with two layers.
    private static func archive(_ compression: Compression) throws -> [UInt8] {
        let first = try tar(
            [
                file("a", Array("first".utf8)), (LayerEntry(path: "d", kind: .directory), []),
                file("d/x", Array(repeating: 7, count: 3000)),
                (LayerEntry(path: "l", kind: .hardLink, linkTarget: "a"), []),
                (LayerEntry(path: "s", kind: .symlink, linkTarget: "d/x"), []),
                file("var/lib/dpkg/status", Array("Package: a\nVersion: 1\n".utf8)),
            ], compression)
        let second = try tar(
            [
                file("a", Array("second".utf8)), (LayerEntry(path: "d", kind: .whiteout), []),
                (LayerEntry(path: "e", kind: .opaque), []),
            ], compression)
        var config = ImageConfig(platform: .host)
        config.diffIDs = [first.1, second.1]
        let manifest = #"[{"Config":"config.json","RepoTags":["x:1"],"Layers":["1/layer.tar","2/layer.tar"]}]"#
        return try tar([
            file("1/layer.tar", first.0), file("2/layer.tar", second.0), file("config.json", config.encoded),
            file("manifest.json", Array(manifest.utf8)),
        ]).0
    }

    private func inspect(_ bytes: [UInt8]) async throws {
        let file = try parent.directory(name).create("image.tar", permissions: 0o600)
        try file.write(bytes.span)
        defer { try? parent.directory(name).unlink("image.tar") }
        let found = try FileImages(ArchiveFile(folder.appending(name.text).appending("image.tar")))
        let reader = try found.reader(try found.item(.only))
        let image = try await ForeignImage(reader, lists: FileListCache(nil), usesTables: true).inspect(platform: nil)
        _ = image.storedFiles()
        _ = image.diveDocument.encoded()
    }

    @Test func theWholeArchiveIsRead() async throws {
        for compression in [Compression.none, .gzip, .zstd] { try await inspect(Self.archive(compression)) }
    }

    @Test(arguments: 0..<150) func brokenArchivesAreRefusedOrRead(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        var bytes = try Self.archive([Compression.none, .gzip, .zstd][Int(seed % 3)])
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...600, using: &random)))
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 512)], at: place)
            default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0...2000, using: &random)))
            }
        }
        do {
            try await inspect(bytes)
        } catch let error as any AnyFailure {
            #expect(!error.message.isEmpty)
        }
    }

    @Test(arguments: [
        "", "\0", "{}", "[]", "[{}]", #"[{"Config":1}]"#, #"[{"Config":"config.json","Layers":["/etc/passwd"]}]"#,
    ])
    func brokenManifestsAreRefused(_ manifest: String) async throws {
        let bytes = try Self.tar([Self.file("manifest.json", Array(manifest.utf8))]).0
        await #expect(throws: TransportsError.self) { try await self.inspect(bytes) }
    }
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
