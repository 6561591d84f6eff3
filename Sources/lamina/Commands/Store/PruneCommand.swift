import ArgumentParser
import Console
import Diagnostics
import Engine
import GoCompat
import Linux
import OCI
import Requests
import Store

struct PruneCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove the build cache, cache mounts, and images without a name.",
        discussion: """
            Images with a name stay, and without --all so do the cached steps that they were made of. Nothing that a \
            running build uses is removed.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Flag(name: .shortAndLong, help: "Remove the cached steps of images with a name, too.")
    var all = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only what fits: until=24h, type=exec.cachemount, id=ID, parents=ID, description~=REGEX, private, mutable.",
            valueName: "filter"))
    var filters: [String] = []

    @Option(help: ArgumentHelp("Only what was not used for so long: --filter until=AGE.", valueName: "age"))
    var until: String?

    @Option(
        name: [.customLong("keep-storage"), .customLong("reserved-space"), .customLong("max-used-space")],
        help: ArgumentHelp("Stop when what could go takes no more than this.", valueName: "size"))
    var keepStorage: String?

    @Flag(name: .customLong("cache-mounts"), help: "Only cache mounts: --filter type=exec.cachemount.")
    var cacheMounts = false

    @Flag(name: .customLong("dry-run"), help: "Only say what would go.")
    var dryRun = false

    func validate() throws {
        do { _ = try rule() } catch let error as any AnyFailure {
            throw ValidationError(error.message + (error.hint.map { "\n\($0)" } ?? ""))
        }
    }

    func run() async throws {
        try await global.run {
            let rule = try rule()
            let pruner = try global.store(dryRun ? .readOnly : .readWrite).pruner
            if !dryRun, !force {
                let plan = try pruner.prune([rule], dryRun: true)
                guard try await confirm(plan) else { return }
            }
            let pruning = try await offload { [dryRun] in try pruner.prune([rule], dryRun: dryRun) }
            if document.isDocument { try show(pruning) } else { report(pruning) }
        }
    }

    private func rule() throws -> PruneRule {
        var filters = filters
        if let until { filters.append("until=\(until)") }
        if cacheMounts { filters.append("type=exec.cachemount") }
        var rule = try PruneFilter(filters).rule(now: Timestamp.now)
        rule.includesShared = all
        if let keepStorage {
            guard let bytes = Quantities.bytes(keepStorage) else {
                throw ValidationError("'\(keepStorage)' is no size: write it as 10GB or 512MiB")
            }
            rule.keepBytes = bytes
        }
        return rule
    }

    // MARK: The question

    private func confirm(_ plan: Pruning) async throws -> Bool {
        func count(_ kind: UsageRecord.Kind, _ one: String, _ many: String) -> String? {
            let count = plan.records.count { $0.kind == kind }
            return count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
        }
        let parts = [
            count(.step, "cached step", "cached steps"), count(.cacheMount, "cache mount", "cache mounts"),
            count(.image, "image without a name", "images without a name"),
        ].compactMap { $0 }
        let what = parts.isEmpty ? "what nothing needs" : parts.joined(separator: ", ")
        return try await Confirmation.isGiven("This will remove \(what): \(HumanSize.short(plan.freedBytes)).")
    }

    private func show(_ pruning: Pruning) throws {
        let records = pruning.records.map { record in
            JSON.object(
                ("id", .string(record.id.description)), ("type", .string(record.type)),
                ("size", .integer(record.bytes)), ("description", .string(record.description)),
                ("created", .string(record.createdAt.description)), ("lastUsed", .string(record.lastUsed.description)))
        }
        try document.show(
            ("isDryRun", .bool(dryRun)), ("isPending", .bool(pruning.isPending)),
            ("reclaimed", .integer(pruning.freedBytes)), ("records", .array(records)))
    }

    private func report(_ pruning: Pruning) {
        if !pruning.records.isEmpty {
            for line in (try? UsageList(nil).lines(for: pruning.records)) ?? [] { say(line) }
            say("")
        }
        let size = HumanSize.short(pruning.freedBytes)
        if dryRun {
            say("Would reclaim: \(size)")
        } else if pruning.isPending {
            say("To be reclaimed when the running builds have ended: \(size)")
        } else {
            say("Total reclaimed space: \(size)")
        }
    }
}
