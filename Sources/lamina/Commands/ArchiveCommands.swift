import ArgumentParser
import Console
import Diagnostics
import Engine
import Linux
import OCI
import Store
import SystemPackage

struct SaveCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images to an archive that Docker, Podman, containerd and skopeo load.")

    @OptionGroup var global: GlobalOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The file to write (default: the standard output).", valueName: "file"))
    var output: String?

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await global.run {
            guard output != nil || !OutputTerminal.standardOutput.isTerminal else {
                throw EngineError(
                    .badOutput, "cowardly refusing to save to a terminal", hint: "Use the -o flag or redirect.")
            }
            let transfer = try global.images()
            let messages = FetchMessages()
            try await transfer.closingRegistry {
                try await transfer.save(images, to: FilePath(output ?? "-")) { messages.show($0) }
            }
        }
    }
}

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Take images from a Docker archive or an OCI archive into the store.")

    @OptionGroup var global: GlobalOptions

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
            guard !quiet else { return }
            for image in loaded {
                for name in image.names { say("Loaded image: \(name.familiar)") }
                if image.names.isEmpty { say("Loaded image ID: \(image.image.id)") }
            }
        }
    }
}

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

/// A file, or the standard input as `-`, opened to be read once.
enum ArchiveInput {
    static func open(_ name: String) throws -> OwnedDescriptor {
        guard name == "-" else { return try OwnedDescriptor.open(FilePath(name)) }
        guard !OutputTerminal(descriptor: 0).isTerminal else {
            throw EngineError(
                .badArchive, "the standard input is a terminal and no archive", hint: "Name a file, or use a pipe.")
        }
        return OwnedDescriptor(try FileDescriptor.standardInput.duplicate())
    }
}
