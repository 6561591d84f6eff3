import Attestations
import Requests
import Testing

@Suite struct MetadataRequestTests {
    @Test(
        arguments: [
            (nil, true, nil), ("", true, nil), ("min", true, .min), ("max", true, .max), ("disabled", false, nil),
            ("false", false, nil), ("0", false, nil), ("nonsense", true, nil),
        ] as [(String?, Bool, ProvenanceSettings.Mode?)])
    func provenance(_ value: String?, _ isThere: Bool, _ mode: ProvenanceSettings.Mode?) {
        let request = MetadataRequest(environment: value.map { ["BUILDX_METADATA_PROVENANCE": $0] } ?? [:])
        #expect(request.hasProvenance == isThere && request.provenanceMode == mode)
        #expect(!request.hasWarnings)
    }

    @Test(arguments: [("1", true), ("true", true), ("T", true), ("0", false), ("", false), ("yes", false)])
    func warnings(_ value: String, _ areThere: Bool) {
        #expect(MetadataRequest(environment: ["BUILDX_METADATA_WARNINGS": value]).hasWarnings == areThere)
    }
}
