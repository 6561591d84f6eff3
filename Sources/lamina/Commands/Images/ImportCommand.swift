import ArgumentParser
import Engine
import Images
import Linux
import OCI
import Registry
import Store

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a base image from the tar archive of a root file system.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Options for a URL") var retries: RetryOptions

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("An instruction of a Dockerfile for the image, such as 'CMD sh'.", valueName: "instruction"))
    var change: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("The comment in the history.", valueName: "text"))
    var message: String?

    @Option(help: ArgumentHelp("The platform that the image is for.", valueName: "os/arch"))
    var platform: String?

    @Argument(
        help: ArgumentHelp(
            "The archive, plain or compressed with gzip, zstd, bzip2 or xz: a file, a URL, or - for the standard input."
        ))
    var file: String

    @Argument(help: ArgumentHelp("The name of the image.", valueName: "name[:tag]"))
    var name: String?

    func run() async throws {
        try await global.run {
            var settings = RegistrySettings(environment: GlobalOptions.environment)
            settings.retries = retries.retry
            settings.retryDelay = retries.delay
            let transfer = ImageTransfer(store: try global.store(), registry: RegistryAccess(settings))
            let reference = try name.map { try ImageReference(parsing: $0) }
            let platform = try platform.map { try Platform(parsing: $0) } ?? .host
            let config = change.isEmpty ? RunConfig() : try await ImportChanges.config(change, platform: platform)
            if file.hasPrefix("https://") || file.hasPrefix("http://") {
                let address = try WebAddress(parsing: file)
                let image = try await transfer.closingRegistry {
                    try await NetworkNotice.heard(by: RegistryOptions.showNotice) {
                        try await transfer.importRootFileSystem(
                            at: address, as: reference, platform: platform, config: config,
                            message: message ?? "Imported from \(address.url)")
                    }
                }
                return say(image.id.description)
            }
            let image = try await offload {
                try transfer.importRootFileSystem(
                    ArchiveInput.open(file), as: reference, platform: platform, config: config,
                    message: message ?? "Imported from -")
            }
            say(image.id.description)
        }
    }
}
