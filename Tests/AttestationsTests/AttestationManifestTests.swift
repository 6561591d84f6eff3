import Attestations
import OCI
import Testing

/// The documents that BuildKit attaches to images, byte for byte.
struct AttestationManifestTests {
    private static let image = Descriptor(
        mediaType: .ociManifest, digest: Digest(of: Array("manifest".utf8)), size: 123, platform: .host,
        annotations: ["a": "b"])

    private static let statement = Statement(
        predicateType: "https://slsa.dev/provenance/v1",
        subjects: [.init(name: "pkg:docker/a@1?platform=linux%2Famd64", digest: image.digest)],
        predicate: .object(("x", .integer(1))))

    @Test func `a statement has in-toto's keys in order`() {
        let text = String(decoding: Self.statement.json.encoded(), as: UTF8.self)
        #expect(
            text == #"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","#
                + #""subject":[{"name":"pkg:docker/a@1?platform=linux%2Famd64","#
                + #""digest":{"sha256":"\#(Self.image.digest.hex)"}}],"predicate":{"x":1}}"#)
    }

    @Test func `an artifact has the empty config and its subject`() throws {
        let made = AttestationManifest([Self.statement], about: Self.image, isArtifact: true)
        let statement = Self.statement.json.encoded()
        #expect(made.blobs == [Array("{}".utf8), statement])
        let text = """
            {
              "schemaVersion": 2,
              "mediaType": "application/vnd.oci.image.manifest.v1+json",
              "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
              "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                "size": 2,
                "data": "e30="
              },
              "layers": [
                {
                  "mediaType": "application/vnd.in-toto+json",
                  "digest": "\(Digest(of: statement))",
                  "size": \(statement.count),
                  "annotations": {
                    "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"
                  }
                }
              ],
              "subject": {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": "\(Self.image.digest)",
                "size": 123
              }
            }
            """
        #expect(String(decoding: made.bytes, as: UTF8.self) == text)
    }

    @Test func `an artifact about an image names its kind and the image`() throws {
        let made = AttestationManifest(Self.statement, referringTo: Self.image)
        let statement = Self.statement.json.encoded()
        #expect(made.blobs == [Array("{}".utf8), statement])
        let json = try JSON(parsing: made.bytes)
        #expect(json["artifactType"]?.string == "application/vnd.in-toto+json")
        #expect(json["subject"]?["digest"]?.string == Self.image.digest.description)
        #expect(json["subject"]?["annotations"] == nil)
        #expect(json["annotations"]?["in-toto.io/predicate-type"]?.string == "https://slsa.dev/provenance/v1")
        #expect(json["layers"]?.array?.count == 1)
        #expect(json["layers"]?.array?.first?["digest"]?.string == Digest(of: statement).description)
        let descriptor = made.descriptor(of: Self.statement)
        #expect(descriptor.digest == Digest(of: made.bytes))
        #expect(descriptor.platform == nil)
        #expect(descriptor.annotations == ["in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"])
    }

    @Test func `the older form is an image without a platform`() throws {
        let made = AttestationManifest([Self.statement], about: Self.image, isArtifact: false)
        let manifest = try JSON(parsing: made.bytes)
        #expect(manifest["subject"] == nil && manifest["artifactType"] == nil)
        let config = try JSON(parsing: made.blobs[0])
        #expect(config["architecture"]?.string == "unknown")
        #expect(config["rootfs"]?["diff_ids"]?.strings == [Digest(of: made.blobs[1]).description])
        #expect(manifest["config"]?["digest"]?.string == Digest(of: made.blobs[0]).description)
    }

    @Test func `the entry of the index has no platform of its own`() {
        let made = AttestationManifest([Self.statement], about: Self.image, isArtifact: true)
        let text = made.descriptor(about: Self.image).json.text()
        #expect(
            text == #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#(Digest(of: made.bytes))","#
                + #""size":\#(made.bytes.count),"annotations":{"vnd.docker.reference.digest":"\#(Self.image.digest)","#
                + #""vnd.docker.reference.type":"attestation-manifest"},"#
                + #""platform":{"architecture":"unknown","os":"unknown"}}"#)
    }

    @Test(arguments: [
        ("debian:12", "pkg:docker/debian@12?platform=linux%2Famd64"),
        ("ghcr.io/o/n:t", "pkg:docker/ghcr.io/o/n@t?platform=linux%2Famd64"),
        ("localhost:5000/a", "pkg:docker/localhost:5000/a@latest?platform=linux%2Famd64"),
    ])
    func `an image has a package URL`(_ name: String, _ url: String) throws {
        let amd64 = Platform(os: "linux", architecture: "amd64")
        #expect(PackageURL(image: try ImageReference(parsing: name), platform: amd64).description == url)
    }
}
