import Diagnostics
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@testable import LazyLayers

/// Archives with everything that a layer may hold.
enum SampleArchive {
    static let mixed = commands(large: 9_000_000)
    static let small = commands(large: 100_000)

    private static func commands(large size: Int) -> String {
        """
        mkdir -p usr/bin etc/deep/er empty && printf program >usr/bin/tool && ln usr/bin/tool usr/bin/again &&
        ln -s ../bin/tool usr/link && : >etc/nothing && printf 'a=1\\n' >etc/conf && touch etc/.wh.gone &&
        head -c \(size) /dev/zero | tr '\\0' 'x' >usr/large && printf y >>usr/large &&
        { printf begin; head -c 5000 /dev/zero; printf end; } >etc/holes && mkfifo etc/pipe &&
        printf z >"etc/$(printf 'n%.0s' $(seq 150))" && printf ü >etc/ümläut &&
        chmod 4755 usr/bin/tool && find . -exec touch -hd '2021-03-04 05:06:07.5' {} + &&
        tar --format=pax --sort=name --owner=5 --group=7 -cf ../archive.tar usr etc empty
        """
    }
}

@Suite("Layers in the format eStargz", .enabled(if: Host.hasPython, "needs python3"))
struct EStargzLayerTests {
    @Test("a reader of the specification finds every file, piece and digest")
    func isRead() throws {
        let workshop = try Workshop(SampleArchive.mixed)
        let layer = try workshop.estargz()
        let said = try workshop.reading(estargz: layer)
        #expect(said["diffID"]?.string == layer.diffID.description)
        #expect(said["landmark"]?.string == ".no.prefetch.landmark")
        #expect(said["first"]?.strings == [])
        // 9,000,001 bytes are three pieces.
        #expect(said["pieces"]?.integer == 9)
        #expect(layer.blob.mediaType == .ociLayer(.gzip))
    }

    @Test("it is a usual layer for others, with the files of the archive")
    func isALayer() throws {
        let workshop = try Workshop(SampleArchive.mixed)
        let layer = try workshop.estargz()
        let summary = try LayerReader.readFileList(from: MemoryStream(layer.bytes))
        #expect(summary.diffID == layer.diffID)
        #expect(layer.blob.annotations[LazyAnnotation.archiveSize] == "\(summary.tarSize)")
        let before = try LayerReader.readFileList(from: MemoryStream(workshop.bytes("archive.tar"))).fileList.entries
        let added = [".no.prefetch.landmark", "stargz.index.json"].map { PathBytes($0) }
        #expect(summary.fileList.entries.filter { !added.contains($0.path) } == before)
        #expect(summary.fileList.entries.count == before.count + 2)
        #expect(shell("gzip -dc '\(workshop.path)/blob' >/dev/null 2>&1 || true") == 0)
    }

    @Test("the bytes do not depend on the number of threads", arguments: [1, 3, 64])
    func isDeterministic(threads: Int) throws {
        let workshop = try Workshop(
            "for i in $(seq 200); do head -c 20000 /dev/urandom >f$i; done && tar -cf ../archive.tar .")
        #expect(try workshop.estargz(threads: threads).bytes == workshop.estargz(threads: 2).bytes)
    }

    @Test("files to prefetch come first, after their directories and the files that they are links to")
    func prefetches() throws {
        let workshop = try Workshop(SampleArchive.mixed)
        let said = try workshop.reading(
            estargz: workshop.estargz(prefetching: ["etc/conf", "usr/bin/tool", "etc/missing"]))
        #expect(said["landmark"]?.string == ".prefetch.landmark")
        // The archive has the one name as the file, and the other as a link to it.
        #expect(
            said["first"]?.strings == ["etc/", "etc/conf", "usr/", "usr/bin/", "usr/bin/again", "usr/bin/tool"])
    }

    @Test("of two members with one name the last counts, and marks and tables of a former conversion go")
    func replaces() throws {
        let workshop = try Workshop(
            """
            printf old >a && printf b >b && tar -cf ../archive.tar a b && printf newer >a && printf '\\017' >.prefetch.landmark &&
            printf {} >stargz.index.json && tar -rf ../archive.tar a .prefetch.landmark stargz.index.json
            """)
        let layer = try workshop.estargz()
        let said = try workshop.reading(estargz: layer)
        #expect(said["names"]?.strings == [".no.prefetch.landmark", "b", "a"])
        var reader = try LayerReader(MemoryStream(layer.bytes))
        while let entry = try reader.next() { if entry.path == "a" { #expect(entry.size == 5) } }
    }

    @Test("an empty archive is a layer with a landmark")
    func isEmpty() throws {
        let workshop = try Workshop("tar -cf ../archive.tar -T /dev/null")
        #expect(try workshop.reading(estargz: workshop.estargz())["names"]?.strings == [".no.prefetch.landmark"])
    }

    @Test("the end of the blob tells the format, and its annotations")
    func isRecognised() throws {
        let workshop = try Workshop(SampleArchive.mixed)
        let layer = try workshop.estargz()
        _ = try workshop.reading(estargz: layer)
        let file = SharedDescriptor(try .open(workshop.path.appending("blob")))
        let size = try #require(layer.blob.annotations[LazyAnnotation.archiveSize].flatMap { Int64($0) })
        let found = try #require(try LazyBlob(file, archiveSize: size))
        #expect(found.format == .estargz)
        #expect(found.annotations == layer.blob.annotations)
        #expect(try LazyBlob(workshop.archive, archiveSize: 1) == nil)
    }

    @Test(
        "what neither format can hold is refused by name",
        arguments: [
            ("truncate -s 1M a && printf x >>a && tar --sparse -cf ../archive.tar a", "file with holes"),
            (#"touch "$(printf 'a\377')" && tar -cf ../archive.tar ."#, "not UTF-8"),
            ("printf x >a && tar --format=pax --pax-option=comment=x -cf ../archive.tar a", "header for all files"),
        ])
    func refuses(commands: String, words: String) throws {
        let workshop = try Workshop(commands)
        let error = #expect(throws: LazyLayersError.self) { _ = try workshop.estargz() }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}

@Suite("The ends of layers that are fetched in parts") struct LazyFooterTests {
    @Test("eStargz's footer has the bytes of the specification")
    func estargz() {
        let bytes = EStargzFooter.bytes(tableAt: 0x1234)
        let hex =
            "1f8b08040000000000ff1a00534716003030303030303030303030303132333453544152475a010000ffff0000000000000000"
        #expect(bytes.hex == hex)
        #expect(EStargzFooter.tableOffset(bytes) == 0x1234)
        #expect(EStargzFooter.tableOffset(Array(bytes.dropLast())) == nil)
        #expect(EStargzFooter.tableOffset([UInt8](repeating: 0, count: 51)) == nil)
    }

    @Test("zstd:chunked's footer has the bytes of the specification, and gives the annotations")
    func chunked() {
        let footer = ChunkedFooter(
            table: .init(offset: 1000, length: 300, plainLength: 900),
            split: .init(offset: 1308, length: 50, plainLength: 400))
        let hex =
            "502a4d1840000000e8030000000000002c01000000000000840300000000000001000000000000001c05000000000000"
            + "32000000000000009001000000000000474e556c496e5578"
        #expect(footer.bytes.hex == hex)
        #expect(ChunkedFooter(footer.bytes) == footer)
        #expect(ChunkedFooter(Array(footer.bytes.dropFirst())) == nil)
        let annotations = footer.annotations(tableChecksum: Digest(of: "x"))
        #expect(annotations[LazyAnnotation.tablePosition] == "1000:300:900:1")
        #expect(annotations[LazyAnnotation.splitPosition] == "1308:50:400")
    }
}

extension [UInt8] {
    var hex: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
