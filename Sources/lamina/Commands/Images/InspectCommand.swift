import ArgumentParser
import Diagnostics
import Engine
import GoCompat
import Images
import OCI
import Store

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that the store knows of images, as JSON.")

    @OptionGroup var global: GlobalOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("json, or a template such as '{{.Config.Cmd}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await global.run {
            let transfer = try global.images(.readOnly)
            // What is found is printed even if something else is not, as docker does.
            var documents: [JSON] = []
            var failure: (any Error)?
            for name in images {
                do {
                    let image = try transfer.image(name)
                    documents.append(Self.document(image, try transfer.config(of: image)))
                } catch {
                    failure = failure ?? error
                }
            }
            if let format {
                let template = try GoTemplate(format: format)
                for document in documents { say(try template.render(document)) }
            } else {
                say(JSON.array(documents).text(.pretty(4)))
            }
            if let failure { throw failure }
        }
    }

    /// The document that `docker inspect` prints for an image.
    private static func document(_ image: StoredImage, _ config: ImageConfig) -> JSON {
        let digests = image.repositoryDigests.compactMap { reference in
            reference.digest.map { "\(reference.familiarName)@\($0)" }
        }
        return .object(
            ("Id", .string(image.id.description)),
            ("RepoTags", .array(image.names.map { .string($0.familiar) })),
            ("RepoDigests", .array(digests.map(JSON.string))),
            ("Comment", .string(config.history.last?.comment ?? "")),
            ("Created", .string(config.created?.description ?? "")),
            ("Author", .string(config.author ?? "")),
            ("Config", .object(config.config.json)),
            ("Architecture", .string(config.platform.architecture)),
            ("Variant", config.platform.variant.isEmpty ? nil : .string(config.platform.variant)),
            ("Os", .string(config.platform.os)),
            ("Size", .integer(image.size)),
            (
                "RootFS",
                .object(
                    ("Type", .string("layers")), ("Layers", .array(config.diffIDs.map { .string($0.description) })))
            ))
    }
}
