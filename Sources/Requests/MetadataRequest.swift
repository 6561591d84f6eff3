package import Attestations

/// The optional parts of the file that `--metadata-file` names, by the variables of buildx.
package struct MetadataRequest: Hashable, Sendable {
    package var hasProvenance = false
    /// How much the provenance says; `nil` for as much as the one attached to the image or, without one, the least.
    package var provenanceMode: ProvenanceSettings.Mode?
    package var hasWarnings = false

    package init() {}

    /// Reads `BUILDX_METADATA_PROVENANCE` (`min`, `max` or `disabled`) and `BUILDX_METADATA_WARNINGS` (a truth value).
    /// As with buildx, a value that means nothing counts as none.
    package init(environment: [String: String]) {
        let mode = environment["BUILDX_METADATA_PROVENANCE"] ?? ""
        hasProvenance = !["disabled", "false", "0"].contains(mode)
        provenanceMode = ProvenanceSettings.Mode(rawValue: mode)
        hasWarnings = ["1", "t", "T", "true", "TRUE", "True"].contains(environment["BUILDX_METADATA_WARNINGS"] ?? "")
    }
}
