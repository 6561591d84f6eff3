import ArgumentParser
import Containers
import Diagnostics
import Execution
import Images
import Requests

/// The options and arguments that `run` and `create` have in common.
struct RunWords: ParsableArguments {
    @OptionGroup(title: "Registry options") var registries: RegistryOptions
    @OptionGroup var options: RunOptions
    @OptionGroup var containers: ContainerOptions
    @OptionGroup(title: "Isolation options") var network: NetworkOptions
    @OptionGroup(title: "Sandbox options") var sandbox: SandboxOptions
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup(title: "Isolation options") var isolation: IsolationOptions

    @Argument(help: ArgumentHelp("The image: a name or an ID; pulled when it is not in the store.", valueName: "image"))
    var image: String

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments, in place of the image's own.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        guard !image.hasPrefix("-") else { throw ValidationError("Unknown option '\(image)'") }
    }

    var needsUserNamespace: Bool { (try? isolation.mode().needsUserNamespace) ?? false }

    /// The request of the command line; if it asks for what does not exist, the error is printed and the program ends with
    /// 125.
    func request(of kind: any ParsableCommand.Type, isDebug: Bool) throws -> RunRequest {
        do { return try kind.checkingUsage(request) } catch let error as RequestsError {
            ErrorRenderer(isDebug: isDebug).print(error)
            throw ContainerRunner.ownFailure
        }
    }

    /// Makes the container of a request, and writes the file of its ID if one is wanted.
    func create(_ request: RunRequest, _ images: ImageTransfer) async throws -> Container {
        let creation = containers.creation(request)
        return try await CIDFile.creating(containers.cidfile) {
            try await creation.create(images) { tell($0) }
        }
    }

    private func request() throws -> RunRequest {
        var request = try options.request(image: image, command: command)
        try containers.apply(to: &request)
        request.isolation = try isolation.mode()
        request.network = try network.settings()
        request.sandboxOptions = sandbox.options
        request.sandbox = try sandbox.request()
        request.volumes = try VolumeSettings(
            volumes: volumes.volume, mounts: volumes.mount, temporary: containers.tmpfs, areNamed: true)
        try request.volumes.requireNoHeldMounts()
        return request
    }
}
