import ArgumentParser
import Console
import Diagnostics
import Engine
import Images
import OCI
import Progress
import Registry
import Store
import Transports

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch an image from its registry into the store.",
        discussion: """
            EXAMPLES:
              lamina pull debian:bookworm
              lamina pull --platform linux/arm64 registry.example/team/app:2
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Option(help: ArgumentHelp("The platform to fetch, e.g. linux/arm64.", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .customLong("all-platforms"), help: "Fetch the layers of all platforms.")
    var allPlatforms = false

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Pull all tags of the repository.")
    var allTags = false

    @Flag(name: .shortAndLong, help: "Print the name only.")
    var quiet = false

    @OptionGroup var progress: TransferProgressOption

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag|@digest]"))
    var name: String

    private var showsText: Bool { !quiet && !document.isDocument }

    func validate() throws {
        guard platform == nil || !allPlatforms else {
            throw ValidationError("--platform and --all-platforms contradict each other")
        }
        if allTags { try AllTags.check(name, document) }
    }

    func run() async throws {
        try await global.run {
            let name = try ImageName(parsing: name)
            guard allTags else { return try await pull(registries.reference(for: name, login)) }
            let reference = try await registries.reference(for: name, login, isRepository: true)
            let tags = try await registries.access(login, for: reference) { try await $0.client.tags(of: reference) }
            guard !tags.isEmpty else {
                throw RegistryError(.notFound, "the repository \(reference.familiarName) has no tags")
            }
            for tag in tags { try await pull(reference.with(tag: tag, digest: nil)) }
        }
    }

    private func pull(_ reference: ImageReference) async throws {
        let platform = try platform.map { try Platform(parsing: $0) } ?? .host
        let images = try global.images(registries, login, for: reference)
        let before = try images.store.images.image(named: reference)
        if showsText {
            say("\(reference.tag ?? reference.digest?.description ?? ""): Pulling from \(reference.repository)")
        }
        let image = try await images.showing(.pull, progress.mode(isQuiet: !showsText), to: .standardOutput) {
            allPlatforms
                ? try await images.pullAll(reference, report: $0)
                : try await images.pull(reference, platform: platform, report: $0)
        }
        if showsText {
            if let digest = image.rootDigest { say("Digest: \(digest)") }
            let isNew = before?.id != image.id
            say("Status: \(isNew ? "Downloaded newer image" : "Image is up to date") for \(reference.familiar)")
        }
        guard document.isDocument else { return say(reference.description) }
        try document.show(
            ("name", .string(reference.description)), ("id", .string(image.id.description)),
            ("digest", image.rootDigest.map { .string($0.description) } ?? .null),
            ("platform", .string(image.platform.description)), ("isNew", .bool(before?.id != image.id)),
            ("layers", .array(image.layers.map { .string($0.digest.description) })))
    }
}
