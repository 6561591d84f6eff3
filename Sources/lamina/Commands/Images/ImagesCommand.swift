import ArgumentParser
import DockerfileSyntax
import Engine
import GoCompat
import Images
import OCI
import Store

struct ImagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List the images of the store.", aliases: ["list"])

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Accepted, as it is always so: there are no intermediate images.")
    var all = false

    @Flag(name: .shortAndLong, help: "Print IDs only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole IDs.")
    var noTruncation = false

    @Flag(help: "Show the digests of pulled and pushed images.")
    var digests = false

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only what fits: reference=PATTERN, dangling=true, label=K[=V], before=IMAGE, since=IMAGE, until=TIME.",
            valueName: "filter"))
    var filters: [String] = []

    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Repository}}:{{.Tag}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("Only images of this name or pattern.", valueName: "repository[:tag]"))
    var name: String?

    private static let columns: [ListFormat.Column] = [
        .init(field: "Repository", header: "REPOSITORY"), .init(field: "Tag", header: "TAG"),
        .init(field: "Digest", header: "DIGEST"), .init(field: "ID", header: "IMAGE ID"),
        .init(field: "CreatedSince", header: "CREATED"), .init(field: "CreatedAt", header: "CREATED AT"),
        .init(field: "Size", header: "SIZE"), .init(field: "VirtualSize", header: "SIZE"),
        .init(field: "SharedSize", header: "SHARED SIZE"), .init(field: "UniqueSize", header: "UNIQUE SIZE"),
        .init(field: "Containers", header: "CONTAINERS"),
    ]

    func run() async throws {
        try await global.run {
            let images = try global.images(.readOnly)
            let rows = try selected(images)
            if quiet {
                for row in rows { say(id(row.image)) }
                return
            }
            let shown =
                digests
                ? ["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"]
                : ["Repository", "Tag", "ID", "CreatedSince", "Size"]
            let list = try ListFormat(format, columns: Self.columns, shown: shown)
            let now = Timestamp.now
            for line in try list.lines(for: rows.map { json($0.image, $0.name, now: now) }) { say(line) }
        }
    }

    private func id(_ image: StoredImage) -> String {
        noTruncation ? image.id.description : image.id.short
    }

    /// A row for each name, and one for an image without any.
    private func selected(_ images: ImageTransfer) throws -> [(image: StoredImage, name: ImageReference?)] {
        var filter = try ImageFilter(filters, images: images, now: Timestamp.now)
        if let name { try filter.add(reference: Self.whole(name)) }
        let rows = try images.store.images.list().flatMap { image -> [(StoredImage, ImageReference?)] in
            guard !image.names.isEmpty else { return [(image, nil)] }
            return image.names.sorted { $0.description < $1.description }.map { (image, $0) }
        }
        return try rows.filter { try filter.passes($0.0, $0.1, images: images) }
    }

    /// A name in full, so that each of its spellings finds it; a pattern as it is.
    private static func whole(_ name: String) throws -> String {
        guard !Glob.isPattern(name) else { return name }
        let reference = try ImageReference(parsing: name)
        let hasTag = name.split(separator: "/").last?.contains(":") == true
        return hasTag ? reference.description : reference.name
    }

    /// The digest that the name stands for in its repository, as far as it is known.
    private func digest(of image: StoredImage, _ name: ImageReference?) -> Digest? {
        image.rootDigest ?? image.pushed.last { $0.name == name?.name }?.digest
    }

    private func json(_ image: StoredImage, _ name: ImageReference?, now: Timestamp) -> JSON {
        .object(
            ("Repository", .string(name?.familiarName ?? "<none>")), ("Tag", .string(name?.tag ?? "<none>")),
            ("Digest", .string(digest(of: image, name)?.description ?? "<none>")), ("ID", .string(id(image))),
            ("CreatedSince", .string(HumanDuration.ago(image.created, now: now))),
            ("CreatedAt", .string(image.created.map { "\($0.civil(separator: " ")) +0000 UTC" } ?? "N/A")),
            ("Size", .string(HumanSize.short(image.size))), ("VirtualSize", .string(HumanSize.short(image.size))),
            // Docker says so itself in this list.
            ("SharedSize", .string("N/A")), ("UniqueSize", .string("N/A")), ("Containers", .string("N/A")))
    }
}
