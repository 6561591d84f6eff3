import ArgumentParser
import Console
import Containers
import Diagnostics
import GoCompat
import Images
import Linux
import OCI
import Requests
import Store

struct SystemPruneCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove containers that do not run, images without a name, and the build cache.",
        discussion: """
            As with Docker, --all takes the images with a name that no container has, too, and all of the cache. \
            'lamina prune' leaves containers and images with a name alone.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Flag(name: .shortAndLong, help: "Remove images with a name and their cached steps, too.")
    var all = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    @Flag(help: "Remove anonymous volumes that no container has, too.")
    var volumes = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only what fits: until=24h, label=K[=V], label!=K[=V].", valueName: "filter"))
    var filters: [String] = []

    func validate() throws {
        guard filters.allSatisfy({ ["until", "label"].contains($0.prefix { $0 != "=" && $0 != "!" }) }) else {
            throw ValidationError("--filter takes until=AGE, label=K[=V] or label!=K[=V]")
        }
        guard !volumes || filters.isEmpty else {
            throw ValidationError("--filter is not there for volumes: remove these with 'lamina volume prune'")
        }
        do { _ = try cacheRule() } catch let error as any AnyFailure {
            throw ValidationError(error.message + (error.hint.map { "\n\($0)" } ?? ""))
        }
    }

    /// The steps to remove: none with a filter for labels, which no step has.
    private func cacheRule() throws -> PruneRule? {
        guard filters.allSatisfy({ $0.hasPrefix("until") || $0.hasPrefix("label!") }) else { return nil }
        var rule = try PruneFilter(filters.filter { $0.hasPrefix("until") }).rule(now: Timestamp.now)
        rule.includesShared = all
        return rule
    }

    private var warning: String {
        let kinds = [
            "all stopped containers", volumes ? "all anonymous volumes that no container has" : nil,
            all ? "all images that no container has" : "all images without a name",
            all ? "all of the build cache" : "the build cache that no image with a name needs",
        ].compactMap { $0 }
        return "WARNING! This will remove:\n" + kinds.map { "  - \($0)\n" }.joined()
    }

    func run() async throws {
        try await global.run {
            if !force {
                guard try await Confirmation.isGiven(warning) else { return }
            }
            let images = try global.images()
            let (all, takesVolumes, filters, rule) = (all, volumes, filters, try cacheRule())
            // Containers first: what they alone need goes with them.
            let containers = try ContainerPruneCommand.prune(images.store, filters)
            let (untagged, deleted, lines) = try ImagePruneCommand.prune(images, all: all, filters)
            let volumes =
                try takesVolumes ? VolumePruneCommand.prune(images.store, all: false) : PrunedItems(kind: "Volumes")
            let pruning = try await offload { try rule.map { try images.store.pruner.prune([$0], dryRun: false) } }
            var steps = PrunedItems(kind: "build cache objects")
            for record in pruning?.records ?? [] { steps.add(record.id.hex, 0) }
            steps.add(bytes: pruning?.freedBytes ?? 0)
            let bytes = [containers, lines, volumes, steps].clampedSum(\.bytes)
            if document.isDocument {
                return try document.show(
                    ("reclaimed", .integer(bytes)), ("isPending", .bool(pruning?.isPending ?? false)),
                    containers.member("containers"), untagged.member("untagged"), deleted.member("images"),
                    volumes.member("volumes"), steps.member("cache"))
            }
            for items in [containers, lines, volumes, steps] { items.report() }
            say("Total reclaimed space: \(HumanSize.short(bytes))")
            if pruning?.isPending == true { say("More is reclaimed when the running builds have ended.") }
        }
    }
}
