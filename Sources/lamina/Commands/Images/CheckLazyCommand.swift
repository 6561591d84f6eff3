import ArgumentParser
import Console
import ForeignImages
import GoCompat
import Images
import Linux
import OCI
import Registry
import Transports

struct CheckLazyCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-lazy", abstract: "Tell which clients fetch the layers of an image in parts.",
        discussion: """
            Of each layer the last bytes and the table of contents are read, as the clients do, and compared with the annotations \
            of the manifest. A plain name is an image of the store, or if there is none, one in its registry.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @OptionGroup var document: DocumentOptions

    @Option(help: ArgumentHelp("The platform of the image.", valueName: "platform"))
    var platform: String?

    @Argument(help: ArgumentHelp("The image.", valueName: "image"))
    var image: String

    func run() async throws {
        try await global.run {
            let location = try ImageLocation(parsing: image)
            let platform = try platform.map { try Platform(parsing: $0) }
            let report = try await global.withIndexes(registries, login, for: location) {
                try await LazyInspection(try await $0.source(image)).report(platform: platform)
            }
            guard !document.isDocument else {
                return try document.show(
                    ("name", .string("\(location)")), ("digest", .string(report.manifest.digest.description)),
                    ("layers", report.json))
            }
            for line in Self.table(report).lines() { say(line) }
        }
    }

    private static func table(_ report: LazyReport) -> Table {
        var table = Table(headers: ["LAYER", "SIZE", "FORMAT", "CLIENT", "FETCHED", "WHY"])
        for layer in report.layers {
            for (number, verdict) in layer.verdicts.enumerated() {
                let isFirst = number == 0
                table.append([
                    isFirst ? String(layer.blob.digest.hex.prefix(12)) : "",
                    isFirst ? HumanSize.short(layer.blob.size) : "", isFirst ? layer.format : "",
                    verdict.client.rawValue, verdict.fetch.rawValue, verdict.reason,
                ])
            }
        }
        return table
    }
}
