import ArgumentParser
import Console
import Diagnostics
import Engine
import Images
import SystemPackage

struct SaveCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images to an archive that Docker, Podman, containerd and skopeo load.")

    @OptionGroup var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The file to write (default: the standard output).", valueName: "file"))
    var output: String?

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await global.run {
            guard output != nil || !OutputTerminal.standardOutput.isTerminal else {
                throw CommandError(
                    .badOutput, "cowardly refusing to save to a terminal", hint: "Use the -o flag or redirect.")
            }
            let transfer = try global.images(registries)
            try await transfer.showing(.fetch) {
                try await transfer.save(images, to: FilePath(output ?? "-"), report: $0)
            }
        }
    }
}
