import Diagnostics
import OCI
import Testing

@Suite struct ManifestTests {
    static let a = Digest(of: "a")
    static let b = Digest(of: "b")

    @Test func refusesConfusedAndOldDocuments() {
        let both = #"{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}"#
        #expect(throws: ManifestError.self) { try Manifest(parsing: Array(both.utf8)) }
        #expect(throws: ManifestError.self) { try Index(parsing: Array(both.utf8)) }
        let old = #"{"schemaVersion":1,"fsLayers":[]}"#
        let error = #expect(throws: ManifestError.self) { try Manifest(parsing: Array(old.utf8)) }
        #expect(error?.code == .unsupported)
    }

    @Test func roundTrips() throws {
        let manifest = Manifest(
            config: Descriptor(mediaType: .ociConfig, digest: Self.a, size: 1),
            layers: [Descriptor(mediaType: .ociLayerGzip, digest: Self.b, size: 2, annotations: ["k": "v"])],
            annotations: ["z": "1", "a": "2"])
        #expect(try Manifest(parsing: manifest.encoded) == manifest)
    }

    @Test(arguments: [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"),
        ("linux/amd64", ["linux/amd64/v3", "linux/386"], "linux/386"),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2"], "linux/amd64/v2"),
        ("linux/arm64", ["linux/arm/v7", "linux/arm/v6"], "linux/arm/v7"),
        ("linux/arm/v7", ["linux/arm/v6", "linux/arm64"], "linux/arm/v6"),
    ])
    func choosesThePlatform(_ wanted: String, _ offered: [String], _ chosen: String) throws {
        let index = Index(
            manifests: try offered.map {
                Descriptor(
                    mediaType: .ociManifest, digest: Digest(of: $0), size: 1, platform: try Platform(parsing: $0))
            })
        let manifest = try index.manifest(for: try Platform(parsing: wanted))
        #expect(try manifest.platform == Platform(parsing: chosen))
    }

    @Test func listsPlatformsWhenNoneFits() throws {
        let attestation = Descriptor(
            mediaType: .ociManifest, digest: Self.a, size: 1,
            platform: Platform(os: "unknown", architecture: "unknown"),
            annotations: ["vnd.docker.reference.type": "attestation-manifest"])
        let arm = Descriptor(
            mediaType: .ociManifest, digest: Self.b, size: 1, platform: Platform(os: "linux", architecture: "arm64"))
        let index = Index(manifests: [attestation, arm])
        let error = #expect(throws: ManifestError.self) {
            try index.manifest(for: Platform(os: "linux", architecture: "s390x"))
        }
        #expect(error?.message.contains("only for linux/arm64") == true)
    }
}
