import Layers
import Linux
import OCI
import SystemPackage
import Testing

@testable import Transports

@Suite("Copies of images") struct ImageCopyTests {
    private let scratch: Scratch
    private let platforms = [
        Platform(os: "linux", architecture: "amd64"), Platform(os: "linux", architecture: "arm64"),
        Platform(os: "linux", architecture: "arm", variant: "v7"),
    ]

    init() throws { scratch = try Scratch() }

    @Test("An image comes out of every transport as it went in", arguments: FileTransport.allCases)
    func roundTrip(_ transport: FileTransport) async throws {
        let image = try MemoryImage(platforms[0])
        let written = try await ImageCopy().run(from: image, to: try transport.writer(scratch))
        #expect(try await image.root().descriptor.digest == written.digest)
        #expect(try await transport.reader(scratch).contents() == image.contents())
    }

    @Test(
        "An index is copied whole, attestations and unknown members included",
        arguments: FileTransport.allCases.filter(\.takesIndexes))
    func indexRoundTrip(_ transport: FileTransport) async throws {
        let image = try MemoryImage(index: platforms)
        let written = try await ImageCopy().run(from: image, to: try transport.writer(scratch))
        #expect(try await image.root().descriptor.digest == written.digest)
        #expect(try await transport.reader(scratch).contents() == image.contents())
    }

    @Test("A chain of copies through all transports keeps the digest")
    func chain() async throws {
        let image = try MemoryImage(index: platforms)
        var reader: any ImageReader = image
        for transport in FileTransport.allCases where transport.takesIndexes {
            _ = try await ImageCopy().run(from: reader, to: try transport.writer(scratch))
            reader = try transport.reader(scratch)
        }
        #expect(try await reader.contents() == image.contents())
    }

    @Test("A place for one image gets the one of this machine, or the one that is asked for")
    func narrowing() async throws {
        let image = try MemoryImage(index: platforms)
        let index = try Index(parsing: try await image.root().bytes)
        for wanted in [nil, platforms[1]] {
            var copy = ImageCopy()
            copy.platforms = wanted.map { [$0] } ?? []
            let written = try await copy.run(from: image, to: try FileTransport.dockerArchive.writer(scratch))
            #expect(try written.digest == index.manifest(for: wanted ?? .host).digest)
        }
    }

    @Test("Some platforms of an index keep their attestations and lose those of others")
    func subset() async throws {
        let image = try MemoryImage(index: platforms)
        var copy = ImageCopy()
        copy.platforms = [platforms[0], platforms[2]]
        _ = try await copy.run(from: image, to: try FileTransport.layout.writer(scratch))
        let found = try IndexDocument(parsing: try await FileTransport.layout.reader(scratch).root().bytes)
        #expect(found.entries.filter { !$0.isAttestation }.map(\.platform) == [platforms[0], platforms[2]])
        let images = Set(found.entries.map(\.descriptor.digest))
        let subjects = found.entries.compactMap(\.subject)
        #expect(subjects.count == 2 && subjects.allSatisfy(images.contains))
    }

    @Test("A platform that is not there is refused with those that are")
    func lostPlatform() async throws {
        var copy = ImageCopy()
        copy.platforms = [Platform(os: "linux", architecture: "s390x")]
        for image in [try MemoryImage(index: platforms), try MemoryImage(platforms[0])] {
            let error = await #expect(throws: (any Error).self) {
                try await copy.run(from: image, to: try FileTransport.layout.writer(scratch))
            }
            #expect(sentence(error).contains("linux/s390x") && sentence(error).contains("linux/amd64"))
        }
    }

    @Test("Other media types change the digests of documents and not those of configs and layers")
    func otherForm() async throws {
        let image = try MemoryImage(platforms[0])
        let original = try await image.root().manifest()
        var copy = ImageCopy()
        copy.form = .docker
        _ = try await copy.run(from: image, to: try FileTransport.directory.writer(scratch))
        let docker = FileTransport.directory
        let root = try await docker.reader(scratch).root()
        #expect(root.descriptor.mediaType == .dockerManifest)
        #expect(try root.manifest().config.mediaType == .dockerConfig)
        #expect(try root.manifest().layers.map(\.mediaType) == [.dockerLayerGzip])
        #expect(try root.manifest().layers.map(\.digest) == original.layers.map(\.digest))
        copy.form = .oci
        _ = try await copy.run(from: try docker.reader(scratch), to: try FileTransport.layout.writer(scratch))
        #expect(try await FileTransport.layout.reader(scratch).root().manifest().layers == original.layers)
    }

    @Test("Docker's format refuses attestations rather than losing them")
    func attestationsInDocker() async throws {
        var copy = ImageCopy()
        copy.form = .docker
        let error = await #expect(throws: (any Error).self) {
            try await copy.run(from: try MemoryImage(index: platforms), to: try FileTransport.layout.writer(scratch))
        }
        #expect(sentence(error).contains("attestations"))
    }

    private static let compressions: [(Compression, Compression?, FileTransport, Compression)] = [
        (.gzip, .zstd, .layout, .zstd), (.zstd, .gzip, .layout, .gzip), (.none, .gzip, .ociArchive, .gzip),
        (.zstd, nil, .dockerArchive, .gzip), (.zstd, nil, .layout, .zstd), (.none, nil, .layout, .none),
    ]

    @Test("Layers are compressed as asked for, and for a Docker archive never with zstd", arguments: compressions)
    func compression(
        _ present: Compression, _ wanted: Compression?, _ transport: FileTransport, _ expected: Compression
    ) async throws {
        let image = try MemoryImage(index: platforms, present)
        var copy = ImageCopy()
        copy.platforms = [platforms[0]]
        copy.compression = wanted.map { CompressionOptions($0) }
        _ = try await copy.run(from: image, to: try transport.writer(scratch))
        let reader = try transport.reader(scratch)
        let manifest = try await reader.root().manifest()
        #expect(manifest.layers.map(\.mediaType.compression) == [expected])
        let config = MemorySink(limit: 1 << 20)
        try await reader.copy(manifest.config, into: config) { _ in }
        let layer = MemorySink(limit: 1 << 20)
        try await reader.copy(manifest.layers[0], into: layer) { _ in }
        let summary = try LayerReader.readFileList(from: BlobStream(SpooledBytes(layer.bytes)))
        #expect(try ImageConfig(parsing: config.bytes).diffIDs == [summary.diffID])
    }

    @Test("A copy that must keep digests refuses what changes them")
    func preservedDigests() async throws {
        var copy = ImageCopy()
        copy.keepsDigests = true
        let image = try MemoryImage(platforms[0])
        _ = try await copy.run(from: image, to: try FileTransport.directory.writer(scratch))
        copy.compression = CompressionOptions(.zstd)
        let error = await #expect(throws: (any Error).self) {
            try await copy.run(from: image, to: try FileTransport.layout.writer(scratch))
        }
        #expect(sentence(error).contains("cannot be kept"))
    }

    @Test(
        "A damaged blob and a missing one end the copy, and nothing has the name", arguments: [true, false],
        FileTransport.allCases)
    func damaged(isMissing: Bool, _ transport: FileTransport) async throws {
        let image = try MemoryImage(platforms[0])
        let layer = try await image.root().manifest().layers[0].digest
        let broken = isMissing ? image.without(layer) : image.damaging(layer)
        let error = await #expect(throws: (any Error).self) {
            try await ImageCopy().run(from: broken, to: try transport.writer(scratch))
        }
        #expect(sentence(error).contains("\(layer)"))
        #expect(throws: (any Error).self) { try transport.reader(scratch) }
        #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
    }

    @Test("What is there already is not read again")
    func skips() async throws {
        let image = try MemoryImage(platforms[0])
        _ = try await ImageCopy().run(from: image, to: try FileTransport.layout.writer(scratch, .name("one")))
        let manifest = try await image.root().manifest()
        let rest = image.without(manifest.layers[0].digest).without(manifest.config.digest)
        _ = try await ImageCopy().run(from: rest, to: try FileTransport.layout.writer(scratch, .name("two")))
        for tag in ["one", "two"] {
            #expect(try await FileTransport.layout.reader(scratch, .name(tag)).contents() == image.contents())
        }
    }
}
