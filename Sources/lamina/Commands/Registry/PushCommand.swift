import ArgumentParser
import Console
import Diagnostics
import Engine
import Images
import OCI
import Progress
import Store
import Transports

struct PushCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Send an image of the store to its registry.",
        discussion: """
            EXAMPLES:
              lamina push registry.example/team/app:2
              lamina push --platform linux/arm64 registry.example/team/app:2
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @OptionGroup var login: LoginOption

    @Flag(name: .shortAndLong, help: "Print the name only.")
    var quiet = false

    @OptionGroup var progress: TransferProgressOption

    @Option(
        help: ArgumentHelp("Push the image for this platform only, and not the whole index.", valueName: "os/arch"))
    var platform: String?

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Push all tags of the repository.")
    var allTags = false

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag]"))
    var name: String

    private var showsText: Bool { !quiet && !document.isDocument }

    func validate() throws { if allTags { try AllTags.check(name, document) } }

    func run() async throws {
        try await global.run {
            let reference = try ImageReference(parsing: name)
            let images = try global.images(registries, login, for: reference)
            let references = allTags ? try tags(of: reference, in: images.store) : [reference]
            if showsText { say("The push refers to repository [\(reference.name)]") }
            for reference in references { try await push(reference, images) }
        }
    }

    /// The names of the store with the repository of a name.
    private func tags(of name: ImageReference, in store: StoreRoot) throws -> [ImageReference] {
        let references = try store.images.roots().flatMap(\.names)
            .filter { $0.name == name.name && $0.tag != nil }
        guard !references.isEmpty else {
            throw ImagesError(
                .imageNotFound, "An image does not exist locally with the tag: \(name.familiarName)",
                hint: "See 'lamina images' for those that exist.")
        }
        return references.sorted { ($0.tag ?? "") < ($1.tag ?? "") }
    }

    private func push(_ reference: ImageReference, _ images: ImageTransfer) async throws {
        let platform = try platform.map { try Platform(parsing: $0) }
        let pushed = try await images.showing(.push, progress.mode(isQuiet: !showsText), to: .standardOutput) {
            try await images.push(reference, platform: platform, report: $0)
        }
        guard !document.isDocument else {
            return try document.show(
                ("name", .string(reference.description)), ("digest", .string(pushed.digest.description)),
                ("mediaType", .string(pushed.mediaType.rawValue)), ("size", .integer(pushed.size)))
        }
        let tag = reference.tag ?? ""
        say(quiet ? reference.description : "\(tag): digest: \(pushed.digest) size: \(pushed.size)")
    }
}
