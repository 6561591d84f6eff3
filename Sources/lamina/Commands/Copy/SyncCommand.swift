import ArgumentParser
import Console
import Diagnostics
import Images
import Linux
import OCI
import Registry
import Sync
import SystemPackage
import Transports

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Copy many images: a list, a repository or a directory of them.",
        discussion: """
            The source is a list in YAML as skopeo reads it, or with --src docker a repository (with a tag one image), or \
            with --src dir a directory. Images are copied below the destination: a registry, or with --dest dir a directory. \
            What the destination has is not sent again. All platforms are copied unless --platform names some.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup(title: "Options of the source") var sourceEnd: CopyEndOptions<SourceEnd>

    @OptionGroup(title: "Options of the destination") var destinationEnd: CopyEndOptions<DestinationEnd>

    @OptionGroup var form: CopyFormOptions

    @Option(
        name: [.customShort("s"), .customLong("src")],
        help: ArgumentHelp("What the source is: yaml (default), docker or dir.", valueName: "kind"))
    var sourceKind: SyncSourceKind?

    @Option(
        name: [.customShort("d"), .customLong("dest")],
        help: ArgumentHelp("What the destination is: docker (default) or dir.", valueName: "kind"))
    var destinationKind: SyncDestinationKind?

    @Flag(help: "Put the whole name of each image below the destination, not its last part only.")
    var scoped = false

    @Option(
        name: .customLong("append-suffix"), parsing: .unconditional,
        help: ArgumentHelp("Put a text after each name.", valueName: "text"))
    var ending: String?

    @OptionGroup var scope: CopyScopeOptions

    @Flag(name: .customLong("keep-going"), help: "Copy the others when an image fails; the command fails at the end.")
    var keepGoing = false

    @Flag(name: .customLong("dry-run"), help: "Print what would be copied, and copy nothing.")
    var dryRun = false

    @Flag(name: .shortAndLong, help: "Print failures only.")
    var quiet = false

    @Argument(help: ArgumentHelp("The list, the repository or the directory.", valueName: "source"))
    var source: String

    @Argument(help: ArgumentHelp("The registry or the directory to copy to.", valueName: "destination"))
    var destination: String

    func run() async throws {
        try await global.run {
            let (from, host) = try await offload { try readSource() }
            let to = writtenTo
            let target = RegistryAccess(
                try destinationEnd.settings(registry(of: to), named: destination, registries))
            let settings = try sourceEnd.settings(host, named: source, registries)
            var sync = SyncRun(SyncGroup.groups(of: from, settings), to: to, target)
            sync.copy = try form.copy()
            try scope.apply(to: &sync.copy)
            sync.isScoped = scoped
            sync.ending = ending ?? ""
            sync.keepsGoing = keepGoing
            sync.isDryRun = dryRun
            do {
                try await run(sync)
                try await target.shutdown()
            } catch {
                try? await target.shutdown()
                throw error
            }
        }
    }

    private func run(_ sync: SyncRun) async throws {
        let messages = SyncMessages(isQuiet: quiet, isDebug: global.debug)
        let summary = try await NetworkNotice.heard(by: { messages.show(.transfer(.waiting($0))) }) {
            try await sync.run { messages.show($0) }
        }
        guard !quiet else { return }
        let noun = summary.all == 1 ? "image" : "images"
        say(
            dryRun
                ? "Would copy \(summary.all) \(noun)"
                : "\(summary.all) \(noun): \(summary.copied) copied, \(summary.existing) there already")
    }

    // MARK: Ends

    /// The source, and its registry if it is in one.
    private func readSource() throws -> (SyncSource, String?) {
        let (kind, text) = Self.kind(sourceKind, source, else: .yaml)
        switch kind {
        case .docker:
            let source = try SyncSource.registry(text)
            guard case .repository(let reference, _) = source else { return (source, nil) }
            return (source, reference.registry)
        case .dir: return (.directory(FilePath(text)), nil)
        case .yaml:
            let bytes = try ArchiveInput.open(text).readAll(limit: 4 << 20)
            return (.list(try SyncList(parsing: bytes, place: text)), nil)
        }
    }

    private var writtenTo: SyncDestination {
        let (kind, text) = Self.kind(destinationKind, destination, else: .docker)
        return kind == .dir ? .directory(FilePath(text)) : .registry(text)
    }

    private func registry(of destination: SyncDestination) -> String? {
        guard case .registry(let text) = destination else { return nil }
        return (try? ImageReference(parsing: text + "/x"))?.registry
    }

    /// The kind that an option names or the text begins with, and the text without it.
    private static func kind<Kind: RawRepresentable<String> & CaseIterable>(
        _ option: Kind?, _ text: String, else usual: Kind
    ) -> (Kind, String) {
        if let option { return (option, text) }
        for kind in Kind.allCases {
            let prefix = kind.rawValue == "docker" ? "docker://" : "\(kind.rawValue):"
            if text.hasPrefix(prefix) { return (kind, String(text.dropFirst(prefix.count))) }
        }
        return (usual, text)
    }
}

enum SyncSourceKind: String, CaseIterable, ExpressibleByArgument {
    case yaml
    case docker
    case dir
}

enum SyncDestinationKind: String, CaseIterable, ExpressibleByArgument {
    case docker
    case dir
}

/// Tells how a synchronization goes: images on the standard output, all else on the standard error.
private struct SyncMessages {
    let isQuiet: Bool
    let isDebug: Bool
    private let transfer: CopyMessages

    init(isQuiet: Bool, isDebug: Bool) {
        self.isQuiet = isQuiet
        self.isDebug = isDebug
        transfer = CopyMessages(isQuiet: isQuiet)
    }

    func show(_ event: SyncEvent) {
        switch event {
        case .failed(let error): ErrorRenderer(isDebug: isDebug).print(error)
        case .transfer(let event): transfer.show(event)
        case _ where isQuiet: break
        case .image(let source, let place): say("\(source) -> \(place)")
        case .exists(let place): say("\(place): there already")
        case .copied(let place, let digest): say("\(place): copied, digest: \(digest)")
        }
    }
}
