import ArgumentParser
import Console
import Containers
import Diagnostics
import Engine
import Images
import OCI
import SystemPackage

struct ExportCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the files of an image or a container as one tar archive, as a command sees them.",
        discussion: "A container goes before an image of the same name. Files of its volumes are left out.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The file to write (default: the standard output).", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Take the image for this platform.", valueName: "os/arch"))
    var platform: String?

    @Argument(help: ArgumentHelp("A name or an ID of an image or a container.", valueName: "image"))
    var image: String

    func run() async throws {
        try await global.run {
            guard output != nil || !OutputTerminal.standardOutput.isTerminal else {
                throw CommandError(
                    .badOutput, "cowardly refusing to write an archive to a terminal",
                    hint: "Use the -o flag or redirect.")
            }
            let platform = try platform.map { try Platform(parsing: $0) }
            let images = try global.images(registries)
            if platform == nil, let container = try? ContainerStore(images.store).find(image) {
                return try await ContainerCopy(container, images: images).export(to: FilePath(output ?? "-"))
            }
            try await images.closingRegistry {
                try await ImageFileSystem(image, platform: platform, in: images)
                    .writeArchive(to: FilePath(output ?? "-"))
            }
        }
    }
}

struct UnpackCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack", abstract: "Write the files of an image into a directory, as a container sees them.",
        discussion: "Owners and devices are kept where this user may make them.")

    @Flag(help: "Make an OCI runtime bundle: the files in rootfs, and config.json for runc or crun.")
    var bundle = false

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(help: ArgumentHelp("Take the image for this platform.", valueName: "os/arch"))
    var platform: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("A directory that is new or empty.", valueName: "dir"))
    var directory: String

    func run() async throws {
        try await global.run {
            let platform = try platform.map { try Platform(parsing: $0) }
            let images = try global.images(registries)
            try await images.closingRegistry {
                let files = try ImageFileSystem(image, platform: platform, in: images)
                if bundle {
                    try await files.unpackBundle(to: FilePath(directory))
                } else {
                    try await files.unpack(to: FilePath(directory))
                }
            }
        }
    }
}
