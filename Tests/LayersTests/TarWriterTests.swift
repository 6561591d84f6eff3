import Diagnostics
import Layers
import Linux
import Testing

struct TarWriterTests {
    private static let deep = PathBytes((0..<14).map { "component\($0)" }.joined(separator: "/"))
    private static let deeper = PathBytes((0..<40).map { "component\($0)" }.joined(separator: "/"))

    /// The text from `offset` on, to the first NUL.
    private func field(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> String {
        String(decoding: bytes[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self)
    }

    @Test func `a long name that can be split stays ustar`() throws {
        let path = Self.deep
        #expect(path.bytes.count == 157)
        let bytes = try tar([LayerEntry(path: path, kind: .regular)]).bytes
        #expect(bytes.count == 3 * 512)
        #expect(bytes[156] == UInt8(ascii: "0"))
        #expect(field(bytes, 345, 155) + "/" + field(bytes, 0, 100) == path.text)
        #expect(field(bytes, 0, 100) == "component13")
    }

    @Test(arguments: [0, 0o644, 0o777, 0o4755] as [UInt32])
    func `a symbolic link has the mode of Linux, whatever its source says`(_ mode: UInt32) throws {
        let link = try tar([LayerEntry(path: "l", kind: .symlink, permissions: mode, linkTarget: "f")]).bytes
        #expect(field(link, 100, 8) == "0000777")
        let file = try tar([LayerEntry(path: "f", kind: .regular, permissions: mode)]).bytes
        #expect(UInt32(field(file, 100, 8), radix: 8) == mode)
    }

    struct PAX: Sendable {
        let entry: LayerEntry
        let headerName: String
        let records: String
    }

    static let extended = [
        PAX(
            entry: LayerEntry(path: "dir/é", kind: .directory), headerName: "dir//PaxHeaders.0",
            records: "16 path=dir/é/\n"),
        PAX(
            entry: LayerEntry(path: "a", kind: .regular, owner: 2_097_152, group: 2_097_151),
            headerName: "PaxHeaders.0/a",
            records: "15 uid=2097152\n"),
        PAX(
            entry: LayerEntry(path: "d/a", kind: .regular, modified: FileTime(seconds: -1, nanoseconds: 5)),
            headerName: "d/PaxHeaders.0/a", records: "12 mtime=-1\n"),
        PAX(
            entry: LayerEntry(
                path: "a", kind: .regular,
                attributes: [
                    ExtendedAttribute(name: "user.b", value: [0, 10, 0xff]),
                    ExtendedAttribute(name: "security.capability", value: [1]),
                ]), headerName: "PaxHeaders.0/a",
            records: "38 SCHILY.xattr.security.capability=\u{1}\n27 SCHILY.xattr.user.b=\u{0}\n\u{fffd}\n"),
        PAX(
            entry: LayerEntry(path: "l", kind: .symlink, linkTarget: deep), headerName: "PaxHeaders.0/l",
            records: "171 linkpath=\(deep)\n"),
        PAX(
            entry: LayerEntry(path: deeper, kind: .regular),
            headerName: String("\(deeper.parent)/PaxHeaders.0/component39".prefix(100)),
            records: "479 path=\(deeper)\n"),
        // A name that ustar could split is repeated when there are other records.
        PAX(
            entry: LayerEntry(path: deep, kind: .regular, owner: 3_000_000), headerName: String("\(deep)".prefix(100)),
            records: "167 path=\(deep)\n15 uid=3000000\n"),
    ]

    @Test(arguments: extended)
    func `what ustar cannot hold goes to an extended header`(_ pax: PAX) throws {
        let bytes = try tar([pax.entry]).bytes
        #expect(bytes[156] == UInt8(ascii: "x"))
        #expect(field(bytes, 0, 100) == pax.headerName)
        #expect(field(bytes, 100, 48) == "0000000")
        let size = try #require(Int(field(bytes, 124, 11), radix: 8))
        #expect(String(decoding: bytes[512..<512 + size], as: UTF8.self) == pax.records)
        #expect(bytes.count == 512 + (size + 511) / 512 * 512 + 512 + 1024)
        #expect(bytes[329..<345].allSatisfy { $0 == 0 })
    }

    @Test func `sizes of more than 8 GiB are records`() throws {
        let collector = Collector()
        var writer = TarWriter(CollectingSink(collector: collector))
        try writer.writeHeader(LayerEntry(path: "big", kind: .regular, size: 8 << 30))
        try writer.writeHeader(LayerEntry(path: "fits", kind: .regular, size: 8 << 30 - 1))
        _ = try writer.finish()
        #expect(field(collector.bytes, 512, 40) == "19 size=8589934592\n")
        #expect(field(collector.bytes, 1024 + 124, 12) == "00000000000")
        #expect(field(collector.bytes, 1536 + 124, 12) == "77777777777")
    }

    @Test func `whiteouts are empty files of nobody in particular`() throws {
        let entries = [
            LayerEntry(path: "d", kind: .directory, permissions: 0o755),
            LayerEntry(path: "d", kind: .opaque),
            LayerEntry(path: "d/gone", kind: .whiteout),
            LayerEntry(path: "top", kind: .whiteout),
        ]
        let bytes = try tar(entries).bytes
        let names = (0..<4).map { field(bytes, $0 * 512, 100) }
        #expect(names == ["d/", "d/.wh..wh..opq", "d/.wh.gone", ".wh.top"])
        for index in 1..<4 {
            #expect(field(bytes, index * 512 + 100, 8) == "0000000")
            #expect(field(bytes, index * 512 + 136, 12) == "00000000000")
            #expect(bytes[index * 512 + 156] == UInt8(ascii: "0"))
        }
    }

    @Test func `GNU tar lists all kinds`() throws {
        let scratch = try Scratch()
        let entries = [
            LayerEntry(path: "b", kind: .blockDevice, permissions: 0o660, group: 6, deviceMajor: 8, deviceMinor: 1),
            LayerEntry(path: "c", kind: .characterDevice, permissions: 0o666, deviceMajor: 1, deviceMinor: 3),
            LayerEntry(path: "d", kind: .directory, permissions: 0o1777),
            LayerEntry(path: "d/f", kind: .regular, permissions: 0o4755, owner: 1, group: 2),
            LayerEntry(path: "d/h", kind: .hardLink, permissions: 0o4755, linkTarget: "d/f"),
            LayerEntry(path: "d/p", kind: .fifo, permissions: 0o600),
            LayerEntry(path: "d/s", kind: .symlink, permissions: 0o777, linkTarget: "../é"),
            LayerEntry(path: Self.deeper, kind: .regular, permissions: 0o644, owner: 3_000_000_000),
        ]
        try scratch.write("t.tar", try tar(entries, content: ["d/f": "hello", Self.deeper: "deep"]).bytes)
        let listing = try scratch.output(
            of: "TZ=UTC LC_ALL=C.UTF-8 tar --numeric-owner --quoting-style=literal -tvf t.tar | sed 's/  */ /g'")
        let time = "1970-01-01 00:00"
        #expect(
            listing == """
                brw-rw---- 0/6 8,1 \(time) b
                crw-rw-rw- 0/0 1,3 \(time) c
                drwxrwxrwt 0/0 0 \(time) d/
                -rwsr-xr-x 1/2 5 \(time) d/f
                hrwsr-xr-x 0/0 0 \(time) d/h link to d/f
                prw------- 0/0 0 \(time) d/p
                lrwxrwxrwx 0/0 0 \(time) d/s -> ../é
                -rw-r--r-- 3000000000/0 4 \(time) \(Self.deeper)

                """)
    }

    @Test(arguments: [("grows", "x", 0), ("shrinks", "", 2)])
    func `a file that changes its size is an error`(_ name: String, _ suffix: String, _ lost: Int) throws {
        let scratch = try Scratch()
        try scratch.write("f", Array(repeating: 0x61, count: 600_000 - lost) + suffix.utf8)
        var writer = LayerWriter()
        let error = #expect(throws: LayerError.self) {
            let entry = LayerEntry(path: "dir/f", kind: .regular, size: 600_000)
            try writer.add(entry, content: try scratch.directory.open("f"))
        }
        #expect(error?.code == .fileChanged)
        #expect(error?.message.contains("'/dir/f'") == true)
    }
}

/// A sink that keeps all.
private struct CollectingSink: ByteSink {
    let collector: Collector

    mutating func write(_ bytes: Span<UInt8>) throws { collector.append(bytes) }
}
