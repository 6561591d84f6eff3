import Inspector
import Layers
import Linux
import Testing

@Suite struct PackedFileListTests {
    private static func entries(_ random: inout SplitMix) -> [LayerEntry] {
        let names = ["a", "b", "a-", "ab", ".c", "long name", "\u{e9}"]
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in
            let path = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                names[Int.random(in: 0..<names.count, using: &random)]
            }.joined(separator: "/")
            var entry = LayerEntry(
                path: PathBytes(path), kind: LayerEntry.Kind.allCases.randomElement(using: &random) ?? .fifo)
            entry.permissions = UInt32.random(in: 0...0o7777, using: &random)
            entry.owner = [0, 0, 7, 100_000].randomElement(using: &random) ?? 0
            entry.group = [0, 0, 9, .max].randomElement(using: &random) ?? 0
            entry.modified = FileTime(
                seconds: Int64.random(in: -5...2_000_000_000, using: &random),
                nanoseconds: Bool.random(using: &random) ? 0 : 5)
            switch entry.kind {
            case .regular:
                entry.size = [0, 1, 200, 1 << 40].randomElement(using: &random) ?? 0
                entry.contentHash = UInt64.random(in: 0...UInt64.max, using: &random)
            case .symlink, .hardLink: entry.linkTarget = "some/where"
            case .characterDevice, .blockDevice: (entry.deviceMajor, entry.deviceMinor) = (1, 300)
            default: break
            }
            if Int.random(in: 0..<5, using: &random) == 0 {
                entry.attributes = [ExtendedAttribute(name: "user.a", value: [0, 1, 255])]
            }
            return entry
        }
    }

    private func expect(_ packed: PackedFileList, hasEntriesOf list: FileList) {
        #expect(packed.count == list.entries.count && packed.tarSize == list.tarSize)
        var paths = PackedFileList.Paths(packed)
        for (index, entry) in list.entries.enumerated() {
            guard paths.advance() else {
                Issue.record("the walk ends too early")
                return
            }
            #expect(paths.index == index && PathBytes(paths.path) == entry.path)
            #expect(packed.entry(index, at: PathBytes(paths.path)) == entry)
            #expect(packed.kind(of: index) == entry.kind)
            #expect(packed.storedSize(of: index) == max(0, entry.size))
            #expect(packed.contentHash(of: index) == entry.contentHash)
        }
        let goesOn = paths.advance()
        #expect(!goesOn)
        #expect(packed.storedSize == list.entries.reduce(0) { $0 &+ max(0, $1.size) })
    }

    @Test(arguments: 0..<200) func entriesAreThoseOfTheList(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let list = FileList(Self.entries(&random), tarSize: Int64(seed) * 512)
        expect(PackedFileList(list), hasEntriesOf: list)
        expect(try PackedFileList(encoded: list.encode()), hasEntriesOf: list)
    }

    /// Layers may be recorded by programs that do not sort, or that share less of a path than they could.
    @Test func aListThatIsOutOfOrderIsPutInOrder() throws {
        // Two entries "b" and "a", each with a path of its own.
        func entry(_ name: String) -> [UInt8] { [6, 0, 1] + Array(name.utf8) + [0, 0] }
        let bytes: [UInt8] = [0x4c, 0x46, 0x4c, 1, 0, 2]
        for names in [["b", "a"], ["a", "b"]] {
            let encoded = bytes + names.flatMap(entry)
            expect(try PackedFileList(encoded: encoded), hasEntriesOf: try FileList(decoding: encoded))
        }
        let twice = bytes + entry("a") + entry("a")
        #expect(try PackedFileList(encoded: twice).count == 1)
    }

    @Test func everyBeginningIsRefusedAndNoBytesCrash() throws {
        var random = SplitMix(state: 1)
        let bytes = FileList(Self.entries(&random) + Self.entries(&random), tarSize: 9).encode()
        for count in bytes.indices {
            #expect(throws: LayerError.self) { try PackedFileList(encoded: Array(bytes[..<count])) }
        }
        for seed in 0..<300 {
            var changed = bytes
            var random = SplitMix(state: UInt64(seed))
            for _ in 0..<3 {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            // What one reading takes, the other takes as the same.
            let (list, packed) = (try? FileList(decoding: changed), try? PackedFileList(encoded: changed))
            #expect((list == nil) == (packed == nil))
            if let list, let packed { expect(packed, hasEntriesOf: list) }
        }
    }
}
