import ArgumentParser
import Diagnostics
import GoCompat
import OCI

/// The form in which a command prints the facts about what it did: by default sentences for people.
///
/// The documents are described in `docs/json.md`; each has the number of its schema.
struct DocumentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "json, or a template such as '{{.schema}}', in place of text for people.", valueName: "format"))
    var format: String?

    /// Whether a document is printed, and nothing else on the standard output.
    var isDocument: Bool { format != nil }

    func validate() throws {
        guard let format else { return }
        do { _ = try GoTemplate(format: format) } catch { throw ValidationError(error.message) }
    }

    /// Prints the members as a document of the first schema, where one is asked for.
    func show(_ members: (String, JSON?)...) throws {
        guard let format else { return }
        let present = members.compactMap { name, value in value.map { (name, $0) } }
        let document = JSON.object(JSONObject([("schema", .integer(1))] + present))
        say(try GoTemplate(format: format).render(document))
    }
}
