import Attestations
import OCI
import Testing

@Suite struct RecordedProvenanceTests {
    private static func provenance(_ version: ProvenanceSettings.Version, _ mode: ProvenanceSettings.Mode) -> Provenance
    {
        let digest = Digest(of: Array("base".utf8))
        var provenance = Provenance(
            source: .init(
                material: .init(uri: "https://example.com/a.git#main", algorithm: "sha1", hex: "0123"),
                path: "Dockerfile"),
            platform: .host, file: .init(name: "Dockerfile", base64: "RlJPTSBzY3JhdGNoCg=="),
            invocationID: Provenance.identifier(of: Digest(of: Array("FROM scratch\n".utf8))),
            started: Timestamp(seconds: 1), finished: Timestamp(seconds: 2), isOffline: false)
        provenance.settings.version = version
        provenance.settings.mode = mode
        provenance.arguments = ["build-arg:A": "1", "target": "one"]
        provenance.secrets = ["token": true]
        provenance.materials = [
            .init(
                uri: "pkg:docker/ghcr.io/a/b@12?digest=\(digest)&platform=linux%2Famd64", algorithm: "sha256",
                hex: digest.hex)
        ]
        provenance.checkout = ["revision": "abc"]
        return provenance
    }

    private static func statement(_ provenance: Provenance) -> JSON {
        Statement(predicateType: provenance.predicateType, subjects: [], predicate: provenance.json).json
    }

    @Test(arguments: [ProvenanceSettings.Version.v1, .v02]) func whatIsWrittenIsRead(
        _ version: ProvenanceSettings.Version
    ) throws {
        let read = try #require(RecordedProvenance(statement: Self.statement(Self.provenance(version, .max))))
        #expect(read.source.material?.uri == "https://example.com/a.git#main" && read.source.material?.hex == "0123")
        #expect(read.source.path == "Dockerfile" && read.saysAll && read.isReproducible)
        #expect(read.arguments == ["build-arg:A": "1", "target": "one"] && read.secrets == ["token"])
        #expect(read.file?.bytes == Array("FROM scratch\n".utf8))
        #expect(read.checkout["revision"] == "abc")
        let image = try #require(read.images.first)
        #expect(image.description == "ghcr.io/a/b:12@\(Digest(of: Array("base".utf8)))")
    }

    @Test func aShortFormSaysSo() throws {
        let read = try #require(RecordedProvenance(statement: Self.statement(Self.provenance(.v1, .min))))
        #expect(!read.saysAll && read.file == nil && read.arguments == ["target": "one"] && !read.isReproducible)
    }

    @Test(arguments: [
        "{}", "[]", #"{"predicateType":"https://spdx.dev/Document","predicate":{}}"#,
        #"{"predicateType":"https://slsa.dev/provenance/v1"}"#,
        #"{"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":7}}"#,
    ])
    func anythingElseIsNone(_ text: String) throws {
        #expect(RecordedProvenance(statement: try JSON(parsing: Array(text.utf8))) == nil)
    }

    @Test(arguments: ["", "pkg:", "pkg:docker", "docker/a", "pkg:/", "pkg:docker/"])
    func whatIsNoPackageURLIsRefused(_ text: String) { #expect(PackageURL(parsing: text) == nil) }

    @Test(arguments: [
        "pkg:docker/debian@12?platform=linux%2Famd64", "pkg:npm/%40scope/name@1.0.0", "pkg:docker/ghcr.io/o/n@t",
    ])
    func aPackageURLIsWrittenAsItWasRead(_ text: String) {
        #expect(PackageURL(parsing: text)?.description == text)
    }
}
