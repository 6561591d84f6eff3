import Diagnostics
import Layers
import LazyLayers
import Linux
import OCI
import Testing

/// Tables of contents as eStargz and zstd:chunked have them.
@Suite struct LayerTableTests {
    private static func digest(_ text: String) -> String { Digest(of: Array(text.utf8)).description }

    private static let document = """
        {"version":1,"entries":[
        {"name":"bin/","type":"dir","mode":493,"modtime":"2024-01-02T03:04:05Z"},
        {"name":"bin/tool","type":"reg","size":10,"mode":2541,"uid":7,"gid":8,"offset":100,"chunkSize":6,
        "digest":"\(digest("0123456789"))","xattrs":{"user.a":"AQID"}},
        {"name":"bin/tool","type":"chunk","offset":160,"chunkOffset":6,"chunkSize":4},
        {"name":"bin/hard","type":"hardlink","linkName":"bin/tool"},
        {"name":"bin/soft","type":"symlink","linkName":"../x"},
        {"name":"empty","type":"reg"},
        {"name":"etc/.wh.gone","type":"reg"},
        {"name":"var/.wh..wh..opq","type":"reg"},
        {"name":"dev/null","type":"char","devMajor":1,"devMinor":3}]}
        """

    @Test func filesAreListedWithTheirContents() throws {
        let table = try LayerTable(parsing: Array(Self.document.utf8), end: 300)
        let list = table.fileList
        #expect(
            list.entries.map(\.path.text) == [
                "bin", "bin/hard", "bin/soft", "bin/tool", "dev/null", "empty", "etc/gone", "var",
            ])
        let tool = try #require(list["bin/tool"])
        #expect(tool.size == 10 && tool.permissions == 0o4755 && tool.owner == 7 && tool.group == 8)
        #expect(tool.contentHash == ContentSum.value(of: Digest(of: Array("0123456789".utf8))))
        #expect(tool.attributes == [ExtendedAttribute(name: "user.a", value: [1, 2, 3])])
        let chunks = try #require(table.chunks(of: tool))
        #expect(chunks.map(\.range) == [100..<160, 160..<300] && chunks.map(\.size) == [6, 4])
        #expect(list["bin"]?.modified == FileTime(seconds: 1_704_164_645))
        #expect(list["dev/null"]?.deviceMinor == 3)
        #expect(list.entries.last?.kind == .opaque)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"entries":[{}]}"#, #"{"entries":[{"name":"../x","type":"reg"}]}"#,
        #"{"entries":[{"name":"a","type":"reg","size":1,"offset":0}]}"#,
        #"{"entries":[{"name":"a","type":"reg","size":-1}]}"#,
        #"{"entries":[{"name":"a","type":"dir","uid":-1}]}"#,
        #"{"entries":[{"name":"a","type":"dir","xattrs":{"user.a":"!"}}]}"#,
    ])
    func brokenTablesAreRefused(_ text: String) {
        #expect(throws: LayerError.self) { try LayerTable(parsing: Array(text.utf8), end: 300) }
    }

    /// Any change of a table is refused or read as what it has become; nothing traps.
    @Test(arguments: 0..<200) func changedTablesAreRefusedOrRead(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var bytes = Array(Self.document.utf8)
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...3, using: &random) {
            case 0: bytes[place] = Array("0123456789-{}[],:\"e.".utf8).randomElement(using: &random) ?? 0
            case 1: bytes.insert(contentsOf: Array("99999999999".utf8), at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 100)], at: place)
            }
        }
        do {
            let table = try LayerTable(parsing: bytes, end: 300)
            for entry in table.fileList.entries { _ = table.chunks(of: entry) }
        } catch let error as any AnyFailure {
            #expect(!error.message.isEmpty)
        }
    }
}
