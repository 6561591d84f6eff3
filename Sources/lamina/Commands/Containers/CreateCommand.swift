import ArgumentParser
import Containers
import Diagnostics
import Execution
import Images
import Requests

struct CreateCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a container of an image without starting it.",
        discussion: "Prints the ID of the container, which 'lamina start' takes.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions
    @OptionGroup var options: RunOptions
    @OptionGroup var containers: ContainerOptions
    @OptionGroup var network: NetworkOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var isolation: IsolationOptions

    @Argument(help: ArgumentHelp("The image: a name or an ID; pulled when it is not in the store.", valueName: "image"))
    var image: String

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments, in place of the image's own.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        guard !image.hasPrefix("-") else { throw ValidationError("Unknown option '\(image)'") }
    }

    func needsUserNamespace() -> Bool { (try? isolation.mode().needsUserNamespace) ?? false }

    func run() async throws {
        let words = RunWords(
            global: global, options: options, containers: containers, network: network, sandbox: sandbox,
            volumes: volumes, isolation: isolation, image: image, command: command)
        let creation = containers.creation(try words.request(of: Self.self))
        try await global.run { [global, registries, containers] in
            let images = try global.images(registries)
            try await images.closingRegistry {
                let container = try await CIDFile.creating(containers.cidfile) {
                    try await creation.create(images) { OutputLines.standardError($0) }
                }
                say(container.id)
            }
        }
    }
}
