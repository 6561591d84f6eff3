import ArgumentParser
import Containers
import Diagnostics
import Engine
import Images
import OCI
import Store

struct CommitCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Make an image of a container.",
        discussion: "What the container has changed becomes one layer, as that of a RUN.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("An instruction of a Dockerfile for the image, such as 'CMD sh'.", valueName: "instruction"))
    var change: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("The comment in the history.", valueName: "text"))
    var message: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("The author.", valueName: "name"))
    var author: String?

    @Flag(
        name: .shortAndLong, inversion: .prefixedNo,
        help: "Accepted: the command goes on, and a file that it writes meanwhile is an error.")
    var pause = false

    @Flag(name: .shortAndLong, help: "Accepted, as it is always so: the ID alone is printed.")
    var quiet = false

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "container"))
    var container: String

    @Argument(help: ArgumentHelp("The name of the image.", valueName: "name[:tag]"))
    var name: String?

    func run() async throws {
        try await global.run { [global, change, message, author, container, name] in
            let images = try global.images()
            let reference = try name.map { try ImageReference(parsing: $0) }
            var commit = ContainerCommit(try ContainerStore(images.store).find(container), images: images)
            commit.message = message ?? ""
            commit.author = author
            var config = try commit.config()
            config.config = try await ImportChanges.applied(change, to: config)
            say(try await commit.commit(config, as: reference).id.description)
        }
    }
}
