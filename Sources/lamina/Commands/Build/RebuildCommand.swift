import ArgumentParser
import Attestations
import Console
import Diagnostics
import Editing
import Engine
import Frontend
import Images
import Inspector
import Linux
import OCI
import Progress
import Requests
import Solver
import Store
import SystemPackage

struct RebuildCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Build an image again from its provenance, and show what differs.",
        discussion: """
            Source, arguments, target, platform and the digests of base images are those of the provenance that is attached \
            to the image. An image that was built from files of a machine needs --context. The status is 1 if the images \
            differ.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The directory with the files, where the provenance does not say.", valueName: "dir"))
    var context: String?

    @Option(
        name: .customLong("secret"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A secret that the build needs: id=ID[,src=PATH][,env=VAR].", valueName: "spec"))
    var secrets: [String] = []

    @Option(
        name: .customLong("ssh"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("An SSH agent that the build needs: default, or ID[=SOCKET].", valueName: "spec"))
    var agents: [String] = []

    @Option(help: ArgumentHelp("The image of this platform, where a name has several.", valueName: "os/arch"))
    var platform: String?

    @Option(help: ArgumentHelp("How to show progress: auto, plain, tty, quiet or rawjson.", valueName: "mode"))
    var progress = "auto"

    @Option(help: ArgumentHelp("How to report: table or json.", valueName: "format"))
    var report = "table"

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    func validate() throws {
        guard ["table", "json"].contains(report) else {
            throw ValidationError("unknown format '\(report)': use table or json")
        }
        guard ProgressMode(rawValue: progress) != nil else {
            throw ValidationError("invalid progress mode '\(progress)': use auto, plain, tty, quiet or rawjson")
        }
    }

    func run() async throws {
        let isEqual = try await global.run(canceled: "ERROR: build canceled") { try await rebuild() }
        if !isEqual { throw ExitStatus.failure }
    }

    private func rebuild() async throws -> Bool {
        let images = try global.images(registries)
        let platform = try platform.map { try Platform(parsing: $0) }
        return try await images.closingRegistry {
            let original = try await offload { try images.image(image, platform: platform) }
            guard let provenance = try await images.provenance(of: image, for: platform).first else {
                throw EngineError(
                    .unsupported, "the image '\(image)' has no provenance that says how to build it",
                    hint: "Build it with --provenance.")
            }
            let rebuild = try await Rebuild(
                provenance, of: try images.config(of: original), layers: original.layers,
                context: context.map { FilePath($0) },
                secrets: secrets.map { try BuildSecret.parse($0, environment: GlobalOptions.environment) },
                agents: agents.map { try AgentSocket.parse($0, environment: GlobalOptions.environment) },
                environment: GlobalOptions.environment, in: images.store)
            for note in rebuild.notes { tell("warning: \(TerminalText.line(note))") }
            let rebuilt = try await build(rebuild.request, images)
            withExtendedLifetime(rebuild) {}
            guard rebuilt.id != original.id else {
                BuildComparison.sayEqual(rebuilt.id, "The image was rebuilt, and is the same", asJSON: report == "json")
                return true
            }
            let comparison = BuildComparison(global: global, registries: registries, asJSON: report == "json")
            return try await comparison.show(
                .init((original.id, []), named: "image"), .init(rebuilt, named: "rebuilt image"))
        }
    }

    private func build(
        _ request: BuildRequest, _ images: ImageTransfer
    ) async throws -> (id: Digest, origins: [LayerOrigin?]) {
        let renderer = ProgressRenderer(mode: ProgressMode(rawValue: progress) ?? .auto, to: .standardError)
        do {
            let result = try await Build(
                request, store: images.store, images: images, progress: ProgressReporter(sink: renderer.receive)
            ).run()
            renderer.finish()
            guard let id = result.imageID else { throw EngineError(.imageNotFound, "the build made no image") }
            return (id, result.origins)
        } catch {
            try UserNamespaceEntry.retry(after: error)
            renderer.finish(error: error)
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            ErrorRenderer(isDebug: global.debug).print(error, isBuild: true)
            throw ExitStatus.failure
        }
    }
}
