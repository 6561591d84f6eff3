import GoCompat
import OCI

/// The form that `--format` of a command with one document asks for.
struct FactsFormat: Sendable {
    private let template: GoTemplate?

    /// `format` is `json` or a template.
    init(_ format: String) throws(TemplateError) {
        template = format == "json" ? nil : try GoTemplate(format: format)
    }

    func line(for document: JSON) throws(TemplateError) -> String {
        guard let template else { return document.text() }
        return try template.render(document)
    }
}
