import ArgumentParser
import Console
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

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag]"))
    var name: String

    private var showsText: Bool { !quiet && !document.isDocument }

    func run() async throws {
        try await global.run {
            let reference = try ImageReference(parsing: name)
            let platform = try platform.map { try Platform(parsing: $0) }
            let mode = progress.mode(isQuiet: !showsText)
            let images = try global.images(registries, login, for: reference)
            if showsText { say("The push refers to repository [\(reference.name)]") }
            let pushed = try await images.showing(.push, mode, to: .standardOutput) {
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
}
