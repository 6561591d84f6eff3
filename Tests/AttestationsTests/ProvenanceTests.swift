import Attestations
import OCI
import Testing

struct ProvenanceTests {
    private static func provenance(_ change: (inout ProvenanceSettings) -> Void = { _ in }) -> Provenance {
        var result = Provenance(
            source: .init(path: "Dockerfile"), platform: .host, file: .init(name: "Dockerfile", base64: "RlJPTQ=="),
            invocationID: "id", started: Timestamp(seconds: 1), finished: Timestamp(seconds: 2, nanoseconds: 5),
            isOffline: true)
        result.arguments = ["build-arg:A": "secret", "target": "x", "label:l": "v"]
        result.secrets = ["token": true]
        result.locals = ["context", "dockerfile"]
        result.materials = [.init(uri: "pkg:docker/a@1", algorithm: "sha256", hex: "00")]
        result.steps = [.init(lines: nil, layerCount: 0), .init(lines: 2...3, layerCount: 1)]
        result.layers = [
            Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: []), size: 1),
            Descriptor(mediaType: .ociLayerGzip, digest: Digest(of: [1]), size: 2),
        ]
        change(&result.settings)
        return result
    }

    @Test func `the predicate has SLSA's keys in BuildKit's order`() throws {
        let json = Self.provenance().json
        #expect(json.object?.keys == ["buildDefinition", "runDetails"])
        let definition = try #require(json["buildDefinition"])
        #expect(
            definition.object?.keys
                == ["buildType", "resolvedDependencies", "externalParameters", "internalParameters"])
        let request = try #require(definition["externalParameters"]?["request"])
        #expect(request.object?.keys == ["frontend", "args", "secrets", "locals"])
        let run = try #require(json["runDetails"]?["metadata"])
        #expect(
            run.object?.keys
                == ["invocationId", "startedOn", "finishedOn", "buildkit_metadata", "buildkit_completeness"])
        #expect(run["finishedOn"]?.string == "1970-01-01T00:00:02.000000005Z")
        #expect(run["buildkit_completeness"]?["request"]?.bool == true)
        #expect(run["buildkit_completeness"]?["resolvedDependencies"]?.bool == false)
    }

    @Test func `the short form says no values and no Dockerfile`() throws {
        let json = Self.provenance { $0.mode = .min }.json
        let request = try #require(json["buildDefinition"]?["externalParameters"]?["request"])
        #expect(request["args"]?.object?.keys == ["target"])
        #expect(request["secrets"] == nil)
        #expect(json["runDetails"]?["metadata"]?["buildkit_completeness"]?["request"]?.bool == false)
        #expect(!json.text().contains("secret") && !json.text().contains("RlJPTQ=="))
    }

    @Test func `the long form says which lines made which layers`() throws {
        let facts = try #require(Self.provenance().json["runDetails"]?["metadata"]?["buildkit_metadata"])
        #expect(facts["source"]?["infos"]?.array?.first?["data"]?.string == "RlJPTQ==")
        let step = try #require(facts["source"]?["locations"]?["step1"]?["locations"]?.array?.first)
        #expect(step["ranges"]?.array?.first?["start"]?["line"]?.integer == 2)
        #expect(facts["layers"]?.object?.keys == ["step1:0"])
        #expect(facts["layers"]?["step1:0"]?.array?.first?.array?.count == 1)
    }

    @Test func `the older version has the same under other names`() throws {
        let json = Self.provenance { settings in
            settings.version = .v02
            settings.builder = "https://example.com"
            settings.isReproducible = true
        }.json
        #expect(json.object?.keys == ["builder", "buildType", "materials", "invocation", "metadata"])
        #expect(json["builder"]?["id"]?.string == "https://example.com")
        #expect(json["invocation"]?["configSource"]?["entryPoint"]?.string == "Dockerfile")
        #expect(json["metadata"]?["reproducible"]?.bool == true)
        #expect(json["metadata"]?["https://mobyproject.org/buildkit@v1#metadata"]?["layers"] != nil)
    }
}
