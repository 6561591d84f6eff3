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

    /// Go writes `null` for a list that was never made.
    @Test func `null is empty for every list and map`() throws {
        let digest = #""digest":"\#(Self.a)","size":1"#
        let manifest = try Manifest(
            parsing: Array(
                #"{"config":{"mediaType":"c",\#(digest),"urls":null,"annotations":null,"platform":null},"#.utf8)
                + Array(#""layers":null,"manifests":null,"annotations":null}"#.utf8))
        #expect(manifest.layers.isEmpty && manifest.annotations.isEmpty && manifest.config.urls.isEmpty)
        let index = try Index(parsing: Array(#"{"manifests":null,"layers":null,"annotations":null}"#.utf8))
        #expect(index.manifests.isEmpty)
        let names = [
            "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "Labels", "Healthcheck", "OnBuild", "Shell",
        ]
        let nulls = names.map { #""\#($0)":null"# }.joined(separator: ",")
        for text in [
            #"{"architecture":"a","os":"b","config":null,"history":null,"rootfs":null}"#,
            #"{"architecture":"a","os":"b","config":{\#(nulls)},"rootfs":{"type":"layers","diff_ids":null}}"#,
        ] {
            let config = try ImageConfig(parsing: Array(text.utf8))
            #expect(config.diffIDs.isEmpty && config.history.isEmpty)
            #expect(config.config.json.isEmpty)
        }
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
