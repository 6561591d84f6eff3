import ArgumentParser
import Requests

/// The attestations that an image gets.
struct AttestationOptions: ParsableArguments {
    @Option(
        name: .customLong("provenance"), parsing: .unconditional,
        help: ArgumentHelp(
            "Attach to the image what it was made from: true, false, or mode=min|max,version=v1|v0.2 and others.",
            valueName: "settings"))
    var provenance: String?

    @Option(
        name: .customLong("sbom"), parsing: .unconditional,
        help: ArgumentHelp("Attach to the image which packages it has: true or false.", valueName: "settings"))
    var sbom: String?

    @Option(
        name: .customLong("attest"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("The same, as type=provenance,mode=max or type=sbom.", valueName: "settings"))
    var attest: [String] = []

    @Option(
        name: .customLong("attest-as"),
        help: ArgumentHelp(
            "How attestations are tied to the image: index, as by BuildKit, or referrer, as artifacts about it.",
            valueName: "form"))
    var form: String?

    /// Throws `RequestsError` for what is not known.
    func request() throws -> AttestationRequest {
        var request = AttestationRequest()
        for text in attest { try request.add(text) }
        if let provenance { try request.setProvenance(provenance) }
        if let sbom { try request.setSBOM(sbom) }
        if let form { try request.setAttachment(form) }
        return request
    }
}
