import ArgumentParser
import Engine
import GoCompat
import OCI
import Store

struct ImagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List the images of the store.", aliases: ["list"])

    @OptionGroup var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Print IDs only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole IDs.")
    var noTruncation = false

    @Flag(help: "Show the digests of pulled and pushed images.")
    var digests = false

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Repository}}:{{.Tag}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("Only images of this name.", valueName: "repository[:tag]"))
    var name: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "Repository", header: "REPOSITORY"), .init(field: "Tag", header: "TAG"),
        .init(field: "Digest", header: "DIGEST"), .init(field: "ID", header: "IMAGE ID"),
        .init(field: "CreatedSince", header: "CREATED"), .init(field: "CreatedAt", header: "CREATED AT"),
        .init(field: "Size", header: "SIZE"),
    ]

    func run() async throws {
        try await global.run {
            let rows = try selected(global.store(.readOnly).images.list())
            if quiet {
                for row in rows { say(id(row.image)) }
                return
            }
            let shown =
                digests
                ? ["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"]
                : ["Repository", "Tag", "ID", "CreatedSince", "Size"]
            let list = try ListFormat(format, columns: Self.columns, shown: shown)
            let now = WallClock.now()
            for line in try list.lines(for: rows.map { json($0.image, $0.name, now: now) }) { say(line) }
        }
    }

    private func id(_ image: StoredImage) -> String {
        noTruncation ? image.id.description : image.id.short
    }

    /// A row for each name, and one for an image without any.
    private func selected(_ images: [StoredImage]) throws -> [(image: StoredImage, name: ImageReference?)] {
        let wanted = try name.map { try ImageReference(parsing: $0) }
        let isAnyTag = name.map { !$0.split(separator: "/").suffix(1).joined().contains(":") } ?? true
        return images.flatMap { image -> [(StoredImage, ImageReference?)] in
            guard !image.names.isEmpty else { return wanted == nil ? [(image, nil)] : [] }
            let names = image.names.filter { name in
                guard let wanted else { return true }
                return name.name == wanted.name && (isAnyTag || name.tag == wanted.tag)
            }
            return names.sorted { $0.description < $1.description }.map { (image, $0) }
        }
    }

    /// The digest that the name stands for in its repository, as far as it is known.
    private func digest(of image: StoredImage, _ name: ImageReference?) -> Digest? {
        image.rootDigest ?? image.pushed.last { $0.name == name?.name }?.digest
    }

    private func json(_ image: StoredImage, _ name: ImageReference?, now: Timestamp) -> JSON {
        .object(
            ("Repository", .string(name?.familiarName ?? "<none>")), ("Tag", .string(name?.tag ?? "<none>")),
            ("Digest", .string(digest(of: image, name)?.description ?? "<none>")), ("ID", .string(id(image))),
            ("CreatedSince", .string(image.created.map { HumanDuration.ago($0, now: now) } ?? "N/A")),
            ("CreatedAt", .string(image.created.map { "\($0.civil(separator: " ")) +0000 UTC" } ?? "N/A")),
            ("Size", .string(HumanSize.short(image.size))))
    }
}
