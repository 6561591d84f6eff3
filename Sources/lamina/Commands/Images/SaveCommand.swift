import ArgumentParser
import Console
import Diagnostics
import Engine
import Images
import OCI
import Progress
import SystemPackage

struct SaveCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images to an archive that Docker, Podman, containerd and skopeo load.",
        discussion: """
            A name brings its name, an ID brings none. The OCI formats have all platforms of a name, the archive for Docker \
            the one for this machine.

            EXAMPLES:
              lamina save app | gzip > app.tar.gz
              lamina save --format oci-archive -o app.tar app
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The file to write (default: the standard output).", valueName: "file"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "docker-archive (for Docker and for readers of OCI layouts), oci-archive, oci-dir or docker-dir.",
            valueName: "format"))
    var format: String?

    @Option(help: ArgumentHelp("Save the image for this platform alone.", valueName: "os/arch"))
    var platform: String?

    @OptionGroup var progress: TransferProgressOption

    @Flag(name: .shortAndLong, help: "Print nothing.")
    var quiet = false

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "image"))
    var images: [String]

    private var chosenFormat: SaveFormat { format.flatMap(SaveFormat.init(rawValue:)) ?? .dockerArchive }

    func validate() throws {
        let formats = SaveFormat.allCases.map(\.rawValue)
        if let format, !formats.contains(format) {
            throw ValidationError("unknown format '\(format)': use \(formats.joined(separator: ", "))")
        }
        let isDirectory = chosenFormat == .ociDirectory || chosenFormat == .directory
        guard !isDirectory || (output.map { $0 != "-" } ?? false) else {
            throw ValidationError("a directory needs a name: use -o")
        }
    }

    func run() async throws {
        try await global.run {
            guard output != nil || !OutputTerminal.standardOutput.isTerminal else {
                throw CommandError(
                    .badOutput, "cowardly refusing to save to a terminal", hint: "Use the -o flag or redirect.")
            }
            let platform = try platform.map { try Platform(parsing: $0) }
            let transfer = try global.images(registries)
            try await transfer.showing(.save, progress.mode(isQuiet: quiet)) {
                try await transfer.save(
                    images, to: FilePath(output ?? "-"), as: chosenFormat, platform: platform, report: $0)
            }
        }
    }
}
