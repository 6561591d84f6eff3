import Diagnostics
import Glibc
import Linux
import Testing

@testable import Layers

/// Archives whose headers hold any number in any field end in an error or in a list, never in a crash or an endless loop.
@Suite struct ExtremeNumberTests {
    private static let numbers: [Int64] = [
        0, 1, -1, 2, 7, 511, 512, 513, 1024, 65536, 1 << 20, 1 << 31 - 1, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 33,
        1 << 40,
        1 << 40 + 1, 1 << 50, 1 << 53, 1 << 62, .max - 511, .max - 1, .max, .min, .min + 1,
    ]
    private static let texts = [
        "", "-", "+1", "-1", "1.5", "1e9", "08", "18446744073709551616", "9223372036854775808", "9999999999999999999",
        "-9223372036854775808", "9223372036854775807.999999999", ".", "0x10", " 1", "1 ",
    ]
    private static let types = Array("0123456SDxgLKV\0".utf8)
    private static let keys = [
        "size", "uid", "gid", "mtime", "path", "linkpath", "GNU.sparse.realsize", "GNU.sparse.size", "GNU.sparse.major",
        "GNU.sparse.minor", "GNU.sparse.map", "GNU.sparse.offset", "GNU.sparse.numbytes", "SCHILY.xattr.user.a",
    ]

    /// Repeats what failed when it is given the same seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }

        mutating func pick<Element>(_ items: [Element]) -> Element {
            items[Int.random(in: items.indices, using: &self)]
        }
    }

    /// A number in a field, in octal digits or in the binary form that holds more.
    private static func put(_ number: Int64, into block: inout [UInt8], _ field: Range<Int>, binary: Bool) {
        if !binary, number >= 0 {
            let digits = Array(String(number, radix: 8).utf8).suffix(field.count - 1)
            for (index, digit) in zip(field.lowerBound..., digits) { block[index] = digit }
            return
        }
        var rest = number
        for index in field.reversed() {
            block[index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
        block[field.lowerBound] = number < 0 ? 0xff : block[field.lowerBound] & 0x3f | 0x80
    }

    private static func header(_ type: UInt8, size: Int64, _ generator: inout Generator) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        for (index, byte) in "f\(Int.random(in: 0..<4, using: &generator))".utf8.enumerated() { block[index] = byte }
        for (index, byte) in "f1".utf8.enumerated() { block[TarField.linkName.lowerBound + index] = byte }
        block[TarField.type] = type
        let magic = type == UInt8(ascii: "S") || Bool.random(using: &generator) ? "ustar  \0" : "ustar\u{0}00"
        block.replaceSubrange(TarField.magic, with: Array(magic.utf8))
        for field in [TarField.mode, TarField.owner, TarField.group, TarField.modified, TarField.deviceMajor] {
            let number = Bool.random(using: &generator) ? 0 : generator.pick(numbers)
            put(number, into: &block, field, binary: Bool.random(using: &generator))
        }
        put(size, into: &block, TarField.size, binary: Bool.random(using: &generator))
        if type == UInt8(ascii: "S") {
            for start in stride(from: 386, to: 482, by: 12) where Int.random(in: 0..<3, using: &generator) > 0 {
                put(generator.pick(numbers), into: &block, start..<start + 12, binary: Bool.random(using: &generator))
            }
            put(generator.pick(numbers), into: &block, 483..<495, binary: Bool.random(using: &generator))
        }
        let sum = block.reduce(Int64(8 * 32)) { $0 + Int64($1) }
        for index in TarField.checksum { block[index] = 0 }
        put(sum, into: &block, TarField.checksum, binary: false)
        return block
    }

    private static func records(_ generator: inout Generator) -> [UInt8] {
        var body: [UInt8] = []
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            let key = generator.pick(keys)
            var value = Bool.random(using: &generator) ? "\(generator.pick(numbers))" : generator.pick(texts)
            if key == "GNU.sparse.map" { value += ",\(generator.pick(numbers))" }
            if key.hasSuffix("major") { value = "1" }
            if key.hasSuffix("minor") { value = "0" }
            let rest = key.utf8.count + value.utf8.count + 3
            var length = rest + 1
            while rest + "\(length)".utf8.count != length { length += 1 }
            body += "\(length) \(key)=\(value)\n".utf8
        }
        return body
    }

    private static func archive(_ generator: inout Generator) -> [UInt8] {
        var bytes: [UInt8] = []
        func pad() { bytes += [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512) }
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            if Bool.random(using: &generator) {
                let body = records(&generator)
                let size = Int.random(in: 0..<8, using: &generator) == 0 ? generator.pick(numbers) : Int64(body.count)
                bytes += header(UInt8(ascii: "x"), size: size, &generator) + body
                pad()
            }
            let body =
                Int.random(in: 0..<3, using: &generator) == 0 ? Array("1\n0\n4\n".utf8) + [0, 0, 0, 0] : [1, 2, 3]
            let size = Int.random(in: 0..<3, using: &generator) == 0 ? generator.pick(numbers) : Int64(body.count)
            bytes += header(generator.pick(types), size: size, &generator) + body
            pad()
        }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    @Test(arguments: 0..<40) func `any number in any field of a header is survived`(_ seed: Int) throws {
        var generator = Generator(state: UInt64(seed))
        var (good, bad) = (0, 0)
        for _ in 0..<250 {
            let bytes = Self.archive(&generator)
            do {
                let list = try LayerReader.readFileList(from: PieceStream(bytes)).fileList
                #expect(list.contentSize >= 0)
                #expect(try FileList(decoding: list.encode()) == list)
                for entry in list.entries { _ = Tar.header(of: entry) }
                good += 1
            } catch let error as LayerError {
                #expect(!error.message.isEmpty)
                bad += 1
            }
            // What is skipped is counted in another place.
            if var reader = try? LayerReader(PieceStream(bytes), readsMarks: false) {
                while let entry = try? reader.next() { #expect(entry.size >= 0) }
            }
        }
        // Both happen, or the archives say nothing.
        #expect(good > 0 && bad > 0)
    }

    @Test(arguments: 0..<10) func `any number in any field of a header is unpacked or refused`(_ seed: Int) throws {
        var generator = Generator(state: UInt64(1000 + seed))
        for _ in 0..<20 {
            let scratch = try Scratch()
            var applier = LayerApplier(.plain)
            applier.preservesOwners = false
            applier.makesDevices = false
            do { _ = try applier.apply(PieceStream(Self.archive(&generator)), to: scratch.directory) } catch let error
                as any AnyFailure
            {
                #expect(!error.message.isEmpty)
            }
        }
    }

    @Test(arguments: [Int64.max, Int64.max - 511, Int64(1) << 62])
    func `a member of an impossible size that is skipped ends early`(
        _ size: Int64
    ) throws {
        for type in ["0", "g", "V"] {
            var generator = Generator(state: 1)
            let bytes = Self.header(UInt8(ascii: Unicode.Scalar(type) ?? "0"), size: size, &generator) + [0]
            let error = #expect(throws: LayerError.self) {
                var reader = try LayerReader(PieceStream(bytes))
                while try reader.next() != nil {}
            }
            #expect(error?.code == .truncated, "\(type)")
        }
    }

    @Test(.enabled(if: Host.hasPython, "needs python3")) func `holes of more than a limit are refused`() throws {
        let bytes = try LayersTests.archive("sparse-endless")
        let error = #expect(throws: LayerError.self) { try LayerReader.readFileList(from: PieceStream(bytes)) }
        #expect(error?.code == .unsupported)
        #expect(error?.message == "the holes of 'big' and the files before it take more than 1 TiB")
        // A terabyte is listed at once, as its zeros are not looked at.
        let list = try LayerReader.readFileList(from: PieceStream(try LayersTests.archive("sparse-huge"))).fileList
        #expect(list["big"]?.size == 1 << 40)
    }

    @Test(arguments: [1, 7, 8, 255, 4096, 65537, 1 << 20]) func `the hash of a hole is that of its zeros`(
        _ count: Int
    ) {
        let start = ContentHash.update(0, Array("abc".utf8).span)
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(ContentHash.update(start, zeros: Int64(count)) == ContentHash.update(start, zeros.span))
        #expect(ContentHash.update(0, zeros: Int64(count)) == ContentHash.update(0, zeros.span))
    }

    @Test func `holes stay holes on the disk`() throws {
        let scratch = try Scratch()
        scratch.run("printf abc > s && truncate -s 200M s && printf xyz >> s && truncate -s 300M s && tar -Scf s.tar s")
        _ = try scratch.makeDirectory("t")
        _ = try LayerApplier(.plain).apply(
            PieceStream(try scratch.read("s.tar")), to: try scratch.directory.directory("t"))
        scratch.run("cmp s t/s && test $(du -k t/s | cut -f1) -lt 1000")
    }
}
