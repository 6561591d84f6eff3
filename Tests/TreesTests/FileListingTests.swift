import Layers
import Linux
import Testing

@testable import Trees

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
            digest: digest, at: "l/ä", leadsTo: "a/ä", hardLink: "l/a")
        listing.append(
            node(LayerEntry(path: "l", kind: .symlink, permissions: 0o777, linkTarget: "a/b")), digest: [], at: "l")
        listing.append(
            node(LayerEntry(path: "d", kind: .directory, permissions: 0o755, owner: 5)), digest: [], at: "d",
            metadata: .none)
        listing.append(
            node(LayerEntry(path: "c", kind: .characterDevice, deviceMajor: 1, deviceMinor: 3)), digest: [], at: "c")
        let attribute = ExtendedAttribute(name: "user.x", value: [1])
        listing.append(node(LayerEntry(path: "x", kind: .fifo, attributes: [attribute])), digest: [], at: "x")
        let files = try #require(FileListing.decode(listing.encoded))
        #expect(files.map(\.path) == ["l/ä", "l", "d", "c", "x"])
        #expect(files.map(\.kind) == [.regular, .symlink, .directory, .characterDevice, .fifo])
        #expect(files[0].permissions == 0o4755 && files[0].owner == 1 && files[0].group == 300)
        #expect(files[0].size == 5_000_000_000 && files[0].content == 0x0102_0304_0506_0708)
        #expect(files[0].linkTarget == "a/ä" && files[0].hardLink == "l/a")
        #expect(files[1].linkTarget == "a/b" && files[1].hardLink == "")
        #expect(files[2].permissions == 0 && files[2].owner == 0)
        #expect(files[3].content == 1 << 32 | 3)
        #expect(files[4].attributes != 0 && files[0].attributes == 0)
    }

    @Test func whatIsCutOrOtherIsRefused() {
        var listing = FileListing()
        listing.append(node(LayerEntry(path: "abc", kind: .regular, size: 300)), digest: [UInt8](0..<32), at: "abc")
        let whole = listing.encoded
        for count in 1..<whole.count where count != FileListing().encoded.count {
            #expect(FileListing.decode(Array(whole.prefix(count))) == nil, "\(count)")
        }
        #expect(FileListing.decode(Array("lamina-list-3\n".utf8)) == nil)
        // A list of a former version is none that can be compared, but no damage.
        #expect(FileListing.decode(Array("lamina-list-1\n".utf8)) == nil)
        #expect(FileListing.isListing(Array("lamina-list-1\n".utf8)))
        #expect(!FileListing.isListing(Array("lamina-list-3\n".utf8)))
        #expect(FileListing.decode(FileListing().encoded)?.isEmpty == true)
    }
}
