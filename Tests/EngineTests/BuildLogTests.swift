import Layers
import Linux
import OCI
import Solver
import Store
import SystemPackage
import Testing

@testable import Engine

@Suite struct BuildLogTests {
    private let scratch: Scratch
    private let store: StoreRoot

    init() throws {
        scratch = try Scratch()
        store = try StoreRoot(at: scratch.path.appending("store"))
    }

    /// Writes pieces to a log, saves it with a build and reads it back.
    private func roundTrip(_ pieces: [BuildLogReader.Piece]) throws -> (pieces: [BuildLogReader.Piece], size: Int64) {
        var writer = try BuildLogWriter(store.builds)
        for piece in pieces { writer.append(piece.bytes, piece.stream, of: piece.step, at: piece.time) }
        let file = try writer.finish()
        let size = try file.size()
        let record = BuildRecord(
            id: "build", started: Timestamp(seconds: 0), finished: Timestamp(seconds: 1), name: "n",
            status: .succeeded, logSize: size)
        try store.builds.save(record, log: file)
        var read: [BuildLogReader.Piece] = []
        guard var reader = try BuildLogReader(of: record, in: store) else { return ([], size) }
        while let piece = try reader.next() { read.append(piece) }
        return (read, size)
    }

    @Test func whatWasWrittenIsRead() throws {
        let pieces: [BuildLogReader.Piece] = [
            .init(step: StepID(number: 1), stream: .standardOutput, time: .milliseconds(5), bytes: Array("a\n".utf8)),
            .init(step: StepID(number: 70_000), stream: .standardError, time: .seconds(90_000), bytes: [0, 255]),
            .init(step: StepID(number: 1), stream: .standardOutput, time: .zero, bytes: []),
        ]
        #expect(try roundTrip(pieces).pieces == pieces)
    }

    @Test func aLongLogIsCompressed() throws {
        let pieces = (0..<3000).map { number in
            BuildLogReader.Piece(
                step: StepID(number: number % 3), stream: .standardOutput, time: .microseconds(number),
                bytes: Array("line \(number) of a long log that says much the same\n".utf8))
        }
        let (read, size) = try roundTrip(pieces)
        #expect(read == pieces)
        #expect(size < 60_000)
    }
}

@Suite struct FileListingTests {
    private func node(_ entry: LayerEntry) -> FileNode {
        FileNode(path: entry.path, entry: entry, linkIdentity: nil, origin: .layer(0, entry.path))
    }

    @Test func whatWasListedIsRead() throws {
        var listing = FileListing()
        let digest = [UInt8](1...32)
        listing.append(
            node(
                LayerEntry(
                    path: "a/ä", kind: .regular, permissions: 0o4755, owner: 1, group: 300, size: 5_000_000_000)),
            digest: digest)
        listing.append(node(LayerEntry(path: "l", kind: .symlink, permissions: 0o777, linkTarget: "a/b")), digest: [])
        listing.append(node(LayerEntry(path: "d", kind: .directory, permissions: 0o755)), digest: [])
        listing.append(node(LayerEntry(path: "c", kind: .characterDevice, deviceMajor: 1, deviceMinor: 3)), digest: [])
        let attribute = ExtendedAttribute(name: "user.x", value: [1])
        listing.append(node(LayerEntry(path: "x", kind: .fifo, attributes: [attribute])), digest: [])
        let files = try #require(FileListing.decode(listing.encoded))
        #expect(files.map(\.path) == ["a/ä", "l", "d", "c", "x"])
        #expect(files.map(\.kind) == [.regular, .symlink, .directory, .characterDevice, .fifo])
        #expect(files[0].permissions == 0o4755 && files[0].owner == 1 && files[0].group == 300)
        #expect(files[0].size == 5_000_000_000 && files[0].content == 0x0102_0304_0506_0708)
        #expect(files[1].linkTarget == "a/b")
        #expect(files[3].content == 1 << 32 | 3)
        #expect(files[4].attributes != 0 && files[0].attributes == 0)
    }

    @Test func whatIsCutOrOtherIsRefused() {
        var listing = FileListing()
        listing.append(node(LayerEntry(path: "abc", kind: .regular, size: 300)), digest: [UInt8](0..<32))
        let whole = listing.encoded
        for count in 1..<whole.count where count != FileListing().encoded.count {
            #expect(FileListing.decode(Array(whole.prefix(count))) == nil, "\(count)")
        }
        #expect(FileListing.decode(Array("lamina-list-2\n".utf8)) == nil)
        #expect(FileListing.decode(FileListing().encoded)?.isEmpty == true)
    }
}

@Suite struct RedactionTests {
    @Test(arguments: [
        ("A=1", "A=1"), ("NAME", "NAME"), ("URL=https://u:p@host/x", "URL=https://host/x"),
        ("X=git@host:a", "X=git@host:a"), ("PUBLIC_KEY=abc", "PUBLIC_KEY=abc"),
    ])
    func harmlessVariablesStay(_ text: String, _ expected: String) {
        #expect(Redaction.variable(text) == expected)
    }

    @Test func secretsAreHiddenAndStillCompared() {
        let (one, two) = (Redaction.variable("NPM_TOKEN=one"), Redaction.variable("NPM_TOKEN=two"))
        #expect(!one.contains("one") && one.hasPrefix("NPM_TOKEN=<hidden "))
        #expect(one != two)
        #expect(one == Redaction.variable("NPM_TOKEN=one"))
    }

    @Test(arguments: [
        ("ADD https://u:p@h/a https://h/b /", "ADD https://h/a https://h/b /"), ("a@b", "a@b"),
        ("http://h/x@y", "http://h/x@y"), ("ssh://git@h/x", "ssh://h/x"), ("://@", "://"),
    ])
    func loginsAreTakenOutOfURLs(_ text: String, _ expected: String) {
        #expect(Redaction.withoutLogins(text) == expected)
    }
}
