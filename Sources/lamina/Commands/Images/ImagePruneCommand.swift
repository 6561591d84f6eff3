import ArgumentParser
import Console
import Diagnostics
import GoCompat
import Images
import OCI
import Store

/// The group of Docker's spellings for images; all but `prune` are spellings of other commands.
struct ImageGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Docker's spellings for images: image ls, image rm, …",
        discussion: CommandSpellings.list(of: "image"), subcommands: [ImagePruneCommand.self])
}

struct ImagePruneCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove images without a name.",
        discussion: "The build cache stays: see 'lamina prune'.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Flag(name: .shortAndLong, help: "Remove images with a name, too.")
    var all = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only what fits: until=24h, label=K[=V], label!=K[=V].", valueName: "filter"))
    var filters: [String] = []

    func run() async throws {
        try await global.run {
            let images = try global.images()
            if !force {
                let what = all ? "all images" : "all images without a name"
                guard try await Confirmation.isGiven("This will remove \(what).") else { return }
            }
            let (untagged, deleted, lines) = try Self.prune(images, all: all, filters)
            if document.isDocument {
                return try document.show(
                    ("reclaimed", .integer(lines.bytes)), untagged.member("untagged"), deleted.member())
            }
            lines.report()
            say("Total reclaimed space: \(HumanSize.short(lines.bytes))")
        }
    }

    /// Removes images that no container has: those without a name, or all. The last of the results has the names and
    /// the IDs, as they are printed.
    static func prune(
        _ images: ImageTransfer, all: Bool, _ filters: [String]
    ) throws -> (untagged: PrunedItems, deleted: PrunedItems, lines: PrunedItems) {
        let filter = try ImageFilter(filters, images: images, now: Timestamp.now)
        var (untagged, deleted, lines) = (
            PrunedItems(kind: "Images"), PrunedItems(kind: "Images"), PrunedItems(kind: "Images")
        )
        let used = Set(try images.store.containerUses().map(\.image))
        for image in try images.store.images.list() where all || image.names.isEmpty {
            guard !used.contains(image.id) else { continue }
            guard try filter.passes(image, image.names.first, images: images) else { continue }
            // A root with several names is listed once a name by no command: it goes with all of them.
            for event in try images.remove(image.id.description, force: true) {
                switch event {
                case .untagged(let name):
                    lines.add("untagged: \(name.familiar)", 0)
                    untagged.add(name.familiar, 0)
                case .deleted(let id):
                    lines.add("deleted: \(id)", 0)
                    deleted.add(id.description, 0)
                }
            }
        }
        lines.add(bytes: try images.store.collector.collect().freedBytes)
        return (untagged, deleted, lines)
    }
}
