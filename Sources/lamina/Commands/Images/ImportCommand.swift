import ArgumentParser
import Engine
import Images
import Linux
import OCI
import Store

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a base image from the tar archive of a root file system.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("The archive, plain or compressed with gzip or zstd; - is the standard input."))
    var file: String

    @Argument(help: ArgumentHelp("The name of the image.", valueName: "name[:tag]"))
    var name: String?

    func run() async throws {
        try await global.run {
            let transfer = try global.images()
            let reference = try name.map { try ImageReference(parsing: $0) }
            let image = try await offload {
                try transfer.importRootFileSystem(ArchiveInput.open(file), as: reference, platform: .host)
            }
            say(image.id.description)
        }
    }
}
