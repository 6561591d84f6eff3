import OCI
import SystemPackage
import Testing

@testable import Transports

@Suite("Indexes put together") struct IndexAssemblyTests {
    private let amd64 = Platform(os: "linux", architecture: "amd64")
    private let arm64 = Platform(os: "linux", architecture: "arm64")
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("Images of single platforms make an index, each with the platform that its config says")
    func merging() async throws {
        var assembly = IndexAssembly()
        let images = [try MemoryImage(amd64), try MemoryImage(arm64)]
        for image in images { try await assembly.add(image) }
        #expect(assembly.platforms == [amd64, arm64])
        _ = try await ImageCopy().run(from: try assembly.reader(), to: try FileTransport.layout.writer(scratch))
        let contents = try await FileTransport.layout.reader(scratch).contents()
        for image in images {
            let own = try await image.contents()
            #expect(own.allSatisfy(contents.contains))
        }
    }

    @Test("Indexes are merged with their attestations, and equal images stand there once")
    func mergingIndexes() async throws {
        var assembly = IndexAssembly()
        let first = try MemoryImage(index: [amd64])
        try await assembly.add(first)
        try await assembly.add(try MemoryImage(index: [arm64]))
        try await assembly.add(first)
        #expect(assembly.index.entries.count == 4)
        let images = Set(assembly.index.entries.map(\.descriptor.digest))
        let subjects = assembly.index.entries.compactMap(\.subject)
        #expect(subjects.count == 2 && subjects.allSatisfy(images.contains))
        #expect(assembly.index.entries.filter(\.isAttestation).count == 2)
    }

    @Test("A second image for a platform is refused, and with --replace takes the place of the first one")
    func samePlatform() async throws {
        var assembly = IndexAssembly()
        let (old, new) = (try MemoryImage(index: [amd64, arm64]), try MemoryImage(amd64, text: "new"))
        try await assembly.add(old)
        let error = await #expect(throws: (any Error).self) {
            var copy = assembly
            try await copy.add(new)
        }
        #expect(sentence(error).contains("two images are for linux/amd64"))
        try await assembly.add(new, replaces: true)
        #expect(Set(assembly.platforms) == [amd64, arm64] && assembly.platforms.count == 2)
        // What was attested of the old image went with it.
        #expect(assembly.index.entries.filter(\.isAttestation).count == 1)
    }

    @Test("Removing an image removes what is attested of it", arguments: [true, false])
    func removing(byDigest: Bool) async throws {
        var assembly = IndexAssembly()
        try await assembly.begin(with: try MemoryImage(index: [amd64, arm64]))
        let digest = try #require(assembly.index.entries.first { $0.platform == arm64 }?.descriptor.digest)
        try assembly.remove(byDigest ? .digest(digest) : .platform(arm64))
        #expect(assembly.platforms == [amd64])
        #expect(assembly.index.entries.count == 2)
        let error = #expect(throws: (any Error).self) {
            var copy = assembly
            try copy.remove(.platform(arm64))
        }
        #expect(sentence(error).contains("linux/arm64") && sentence(error).contains("linux/amd64"))
    }

    @Test("An index that lacks a platform of the one at its place is refused")
    func lostPlatform() async throws {
        let former = try await MemoryImage(index: [amd64, arm64]).root()
        var assembly = IndexAssembly()
        try await assembly.add(try MemoryImage(amd64))
        let error = #expect(throws: (any Error).self) { try assembly.check(against: former) }
        #expect(sentence(error).contains("linux/arm64"))
        try await assembly.add(try MemoryImage(arm64))
        try assembly.check(against: former)
    }

    @Test("Annotations and platforms of entries are changed, and all else stays")
    func annotating() async throws {
        var assembly = IndexAssembly()
        try await assembly.begin(with: try MemoryImage(index: [amd64, arm64]))
        try assembly.change(
            .platform(arm64), annotations: [("a", "1")], platform: [("os.version", .string("11"))])
        assembly.annotate([("of.index", "2")])
        let text = String(decoding: assembly.index.encoded(), as: UTF8.self)
        for part in ["\"a\": \"1\"", "\"os.version\": \"11\"", "\"of.index\": \"2\"", "\"org.example.of\""] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(assembly.index.entries.first { $0.platform == amd64 }?.descriptor.annotations["a"] == nil)
    }

    @Test("An empty index is not written")
    func empty() {
        #expect(throws: (any Error).self) { try IndexAssembly().reader() }
    }
}
