import ArgumentParser
import Engine
import Images
import OCI

struct TagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tag", abstract: "Give an image one more name.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var source: String

    @Argument(help: ArgumentHelp("The new name.", valueName: "name[:tag]"))
    var target: String

    func run() async throws {
        try await global.run {
            try global.images().tag(source, as: ImageReference(parsing: target))
        }
    }
}
