import Diagnostics
import Testing

@testable import OCI

@Suite("Indexes and manifests that are changed") struct IndexDocumentTests {
    private let text = """
        {"schemaVersion":2,"artifactType":"a/b","manifests":[{"mediaType":"\(MediaType.ociManifest.rawValue)",\
        "digest":"sha256:\(String(repeating: "a", count: 64))","size":7,"artifactType":"c/d","data":"e30=",\
        "platform":{"architecture":"amd64","os":"windows","os.version":"10"}}],"subject":{"x":1}}
        """

    @Test("Members that nobody knows stay, whatever is changed")
    func unknownMembers() throws {
        var index = try IndexDocument(parsing: Array(text.utf8))
        index.annotations["k"] = "v"
        index.entries[0].setAnnotation("a", "1")
        index.entries[0].setPlatform([("variant", .string("v2"))])
        let written = String(decoding: index.encoded(.compact), as: UTF8.self)
        for part in ["\"artifactType\":\"a/b\"", "\"artifactType\":\"c/d\"", "\"os.version\":\"10\"", "\"subject\""] {
            #expect(written.contains(part), "\(written)")
        }
        #expect(index.entries[0].platform?.variant == "v2")
        #expect(index.entries[0].descriptor.annotations == ["a": "1"])
    }

    @Test("An entry for another document has its type, digest and size, and no longer the bytes of the former")
    func pointing() throws {
        let index = try IndexDocument(parsing: Array(text.utf8))
        let other = Descriptor(mediaType: .dockerManifest, digest: Digest(of: "other"), size: 5)
        let entry = index.entries[0].pointing(to: other)
        #expect(entry.descriptor.digest == other.digest && entry.descriptor.size == 5)
        #expect(entry.descriptor.mediaType == .dockerManifest && entry.platform == index.entries[0].platform)
        #expect(entry.json["data"] == nil && entry.json["artifactType"] == .string("c/d"))
    }

    @Test("An index that was not changed is written with the same members in the same order")
    func unchanged() throws {
        let index = try IndexDocument(parsing: Array(text.utf8))
        #expect(String(decoding: index.encoded(.compact), as: UTF8.self) == text)
    }

    @Test(
        "Types have a counterpart in the other family, or none",
        arguments: [
            (MediaType.ociIndex, MediaType.dockerIndex), (.ociManifest, .dockerManifest), (.ociConfig, .dockerConfig),
            (.ociLayer, .dockerLayer), (.ociLayerGzip, .dockerLayerGzip),
        ])
    func counterparts(_ oci: MediaType, _ docker: MediaType) {
        for type in [oci, docker] {
            #expect(MediaForm.docker.type(for: type) == docker && MediaForm.oci.type(for: type) == oci)
        }
        #expect(MediaForm.docker.type(for: .ociLayerZstd) == nil)
        #expect(MediaForm.oci.type(for: .dockerLayerZstd) == .ociLayerZstd)
        #expect(MediaForm.oci.type(for: MediaType(rawValue: "x/y")) == MediaType(rawValue: "x/y"))
    }

    @Test("A manifest keeps what is not replaced in it")
    func manifest() throws {
        let layer = Descriptor(mediaType: .ociLayer, digest: Digest(of: "layer"), size: 5)
        let config = Descriptor(mediaType: .ociConfig, digest: Digest(of: "config"), size: 6)
        let manifest = Manifest(config: config, layers: [layer], annotations: ["a": "b"])
        let new = Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: "new"), size: 3)
        let bytes = try ManifestEditing.replacing(in: manifest.encoded, type: .ociManifest) { $0 == layer ? new : $0 }
        let changed = try Manifest(parsing: bytes)
        #expect(changed.layers == [new] && changed.config == config && changed.annotations == ["a": "b"])
        #expect(try ManifestEditing.replacing(in: manifest.encoded, type: .ociManifest) { $0 } == manifest.encoded)
    }
}
