import ArgumentParser
import Containers
import Images

struct CreateCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a container of an image without starting it.",
        discussion: "Prints the ID of the container, which 'lamina start' takes.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var words: RunWords

    func needsUserNamespace() -> Bool { words.needsUserNamespace }

    func run() async throws {
        try ForeignVariables.check(GlobalOptions.environment)
        let request = try words.request(of: Self.self, isDebug: global.debug)
        try await global.run { [global, words] in
            let images = try global.images(words.registries)
            try await images.closingRegistry { say(try await words.create(request, images).id) }
        }
    }
}
