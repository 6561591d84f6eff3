import ArgumentParser
import Containers
import Diagnostics
import Glibc
import GoCompat
import Linux
import OCI
import Store

struct RemoveContainersCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove containers.", discussion: "For images see 'lamina rmi'.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Kill those that run; one that is not there is no failure.")
    var force = false

    @Flag(name: .shortAndLong, help: "Remove the volumes that were made for the container, too.")
    var volumes = false

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "container"))
    var containers: [String]

    func run() async throws {
        try await global.run { [global, force, volumes, containers] in
            let store = try ContainerStore(global.store())
            var failure: (any Error)?
            for name in containers {
                do {
                    try await Self.remove(name, from: store, force: force, takesVolumes: volumes)
                    say(name)
                } catch let error as ContainersError where force && error.code == .notFound {
                    if try store.removeDamaged(name) {
                        say(name)
                    } else {
                        ErrorRenderer(isDebug: global.debug).print(error)
                    }
                } catch {
                    if let failure { ErrorRenderer(isDebug: global.debug).print(failure) }
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    private static func remove(
        _ name: String, from store: ContainerStore, force: Bool, takesVolumes: Bool
    ) async throws {
        let container = try store.find(name)
        var isKilled = false
        if force, container.isRunning {
            let client = ContainerClient(container)
            isKilled = (try? await offload { try client.send(SIGKILL) }) != nil
        }
        do {
            try await offload { [isKilled] in
                try store.remove(container, isKilled: isKilled, takesVolumes: takesVolumes)
            }
        } catch let error as LinuxError where error.code == .notFound && container.record.removesItself { return }
    }
}

/// The group of containers; all but `prune` are spellings of other commands.
struct ContainerGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container", abstract: "Docker's spellings for containers: container ls, container rm, …",
        discussion: CommandSpellings.list(of: "container"), subcommands: [ContainerPruneCommand.self])
}

struct ContainerPruneCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove all containers that do not run.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only what fits: until=24h, label!=K[=V], or as with 'lamina ps'.", valueName: "filter"))
    var filters: [String] = []

    func run() async throws {
        try await global.run {
            if !force {
                guard try await Confirmation.isGiven("This will remove all stopped containers.") else { return }
            }
            let pruned = try Self.prune(global.store(), filters)
            if document.isDocument { return try document.show(("reclaimed", .integer(pruned.bytes)), pruned.member()) }
            pruned.report()
            say("Total reclaimed space: \(HumanSize.short(pruned.bytes))")
        }
    }

    static func prune(_ root: StoreRoot, _ filters: [String]) throws -> PrunedItems {
        let store = ContainerStore(root)
        let filter = try ContainerFilter(filters, among: store) { try root.images.lookup($0)?.id }
        var pruned = PrunedItems(kind: "Containers")
        for container in try store.list() where !container.isRunning && filter.passes(container) {
            let size = (try? container.writtenBytes()) ?? 0
            do { try store.remove(container) } catch let error as ContainersError where error.code == .isRunning {
                continue
            }
            pruned.add(container.id, size)
        }
        return pruned
    }
}
