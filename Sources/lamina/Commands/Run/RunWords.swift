import ArgumentParser
import Diagnostics
import Requests

/// The command line of `run` and `create`.
struct RunWords {
    let global: GlobalOptions
    let options: RunOptions
    let containers: ContainerOptions
    let network: NetworkOptions
    let sandbox: SandboxOptions
    let volumes: VolumeOptions
    let isolation: IsolationOptions
    let image: String
    let command: [String]

    /// The request of the command line; if it asks for what does not exist, the error is printed and the program ends with
    /// 125.
    func request(of kind: any ParsableCommand.Type) throws -> RunRequest {
        do { return try kind.checkingUsage(request) } catch let error as RequestsError {
            ErrorRenderer(isDebug: global.debug).print(error)
            throw ContainerRunner.ownFailure
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
