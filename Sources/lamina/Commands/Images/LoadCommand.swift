import ArgumentParser
import Engine
import Images
import Linux
import OCI
import Progress
import Store
import SystemPackage

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Take images from an archive or a directory into the store.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The file or directory to read (default: the standard input).", valueName: "file"))
    var input: String?

    @Option(help: ArgumentHelp("Take the image for this platform alone.", valueName: "os/arch"))
    var platform: String?

    @OptionGroup var progress: TransferProgressOption

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    func run() async throws {
        try await global.run {
            let transfer = try global.images()
            let loaded = try await load(transfer)
            guard !document.isDocument else { return try show(loaded) }
            for image in loaded {
                for name in image.names { say("Loaded image: \(name.familiar)") }
                if image.names.isEmpty { say("Loaded image ID: \(image.image.id)") }
            }
        }
    }

    private func load(_ transfer: ImageTransfer) async throws -> [LoadedImage] {
        let platform = try platform.map { try Platform(parsing: $0) }
        return try await transfer.showing(.load, progress.mode(isQuiet: quiet || document.isDocument)) { report in
            if let input, input != "-", try FileStatus(of: FilePath(input)).type == .directory {
                return try await transfer.load(directory: FilePath(input), platform: platform, report: report)
            }
            return try await transfer.load(
                ArchiveInput.open(input ?? "-"), platform: platform, report: report)
        }
    }

    private func show(_ loaded: [LoadedImage]) throws {
        let images = loaded.map { image in
            JSON.object(
                ("id", .string(image.image.id.description)),
                ("names", .array(image.names.map { .string($0.description) })))
        }
        try document.show(("images", .array(images)))
    }
}
