import OCI
import SystemPackage
import Testing

@testable import Transports

@Suite("Images in files") struct FileImagesTests {
    private let scratch: Scratch
    private let image: MemoryImage

    init() throws {
        scratch = try Scratch()
        image = try MemoryImage(.host)
    }

    @Test("An archive that is cut off anywhere is refused with a sentence", arguments: [0, 1, 511, 700, 1200, 2000])
    func cutOff(_ size: Int) async throws {
        _ = try await ImageCopy().run(from: image, to: try FileTransport.dockerArchive.writer(scratch))
        let whole = try scratch.read("dockerArchive")
        let cut = try scratch.write(Array(whole.prefix(size)), to: "cut.tar")
        let error = #expect(throws: (any Error).self) { try FileTransport.reader(try ArchiveFile(cut)) }
        #expect(sentence(error).contains("cut.tar"), "\(sentence(error))")
    }

    @Test("A layout that other programs write to keeps their entries and what they say")
    func foreignEntries() async throws {
        _ = try await ImageCopy().run(from: image, to: try FileTransport.layout.writer(scratch, .name("one")))
        let text = String(decoding: try scratch.read("layout/index.json"), as: UTF8.self)
        let changed = text.replacing("\"schemaVersion\":2", with: "\"schemaVersion\":2,\"org.example\":{\"a\":1}")
        _ = try scratch.write(Array(changed.utf8), to: "layout/index.json")
        _ = try await ImageCopy().run(from: image, to: try FileTransport.layout.writer(scratch, .name("two")))
        #expect(String(decoding: try scratch.read("layout/index.json"), as: UTF8.self).contains("org.example"))
        let images = try FileImages(try DirectoryFiles(scratch.path.appending("layout")))
        #expect(images.items.map(\.labels) == [["one", "two"]])
    }

    @Test(
        "One image among several must be named",
        arguments: [
            (ImageSelector.only, "choose from"), (.name("three"), "no image 'three'"), (.index(7), "no image '@7'"),
        ])
    func choice(_ selector: ImageSelector, _ message: String) async throws {
        for (tag, text) in [("one", "1"), ("two", "2")] {
            let image = try MemoryImage(.host, text: text)
            _ = try await ImageCopy().run(from: image, to: try FileTransport.layout.writer(scratch, .name(tag)))
        }
        let error = #expect(throws: (any Error).self) { try FileTransport.layout.reader(scratch, selector) }
        #expect(sentence(error).contains(message), "\(sentence(error))")
        _ = try FileTransport.layout.reader(scratch, .name("two"))
        _ = try FileTransport.layout.reader(scratch, .index(1))
    }

    @Test("A name is found with its registry and without", arguments: ["app:1", "docker.io/library/app:1", "1"])
    func names(_ text: String) async throws {
        _ = try await ImageCopy().run(from: image, to: try FileTransport.dockerArchive.writer(scratch, .name("app:1")))
        let found = try await FileTransport.dockerArchive.reader(scratch, .name(text)).root()
        #expect(try await image.root().descriptor.digest == found.descriptor.digest)
    }

    @Test("A directory that holds something else is not written to", arguments: [FileTransport.layout, .directory])
    func otherContents(_ transport: FileTransport) throws {
        let path = scratch.path.appending(transport.rawValue)
        try LayoutDirectory(path.appending("below")).create()
        let error = #expect(throws: (any Error).self) { try transport.writer(scratch) }
        #expect(sentence(error).contains("is not empty"))
    }

    @Test("Equal copies are equal archives")
    func reproducible() async throws {
        _ = try await ImageCopy().run(from: image, to: try FileTransport.dockerArchive.writer(scratch, .name("app:1")))
        let first = try scratch.read("dockerArchive")
        _ = try await ImageCopy().run(from: image, to: try FileTransport.dockerArchive.writer(scratch, .name("app:1")))
        #expect(try scratch.read("dockerArchive") == first)
    }
}
