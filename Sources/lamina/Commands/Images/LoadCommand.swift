import ArgumentParser
import Engine
import Images
import Linux
import OCI
import Store

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Take images from a Docker archive or an OCI archive into the store.")

    @OptionGroup var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The file to read (default: the standard input).", valueName: "file"))
    var input: String?

    @Flag(name: .shortAndLong, help: "Print nothing.")
    var quiet = false

    func run() async throws {
        try await global.run {
            let transfer = try global.images()
            let loaded = try await offload {
                try transfer.load(ArchiveInput.open(input ?? "-"), platform: .host)
            }
            guard !document.isDocument else { return try show(loaded) }
            guard !quiet else { return }
            for image in loaded {
                for name in image.names { say("Loaded image: \(name.familiar)") }
                if image.names.isEmpty { say("Loaded image ID: \(image.image.id)") }
            }
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
