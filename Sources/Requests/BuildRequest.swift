package import Frontend
package import OCI
import Store
package import SystemPackage

/// A build as the user asks for it. A value: nothing has happened yet.
package struct BuildRequest: Sendable {
    /// The directory with the files of the build, as the user names it.
    package var context: FilePath
    /// Further inputs of the build, or inputs instead of that directory.
    package var inputs = BuildInputs()
    /// The Dockerfile, relative to the working directory; `nil` for `Dockerfile` in the context.
    package var dockerfile: FilePath?
    package var tags: [ImageReference] = []
    package var options = BuildOptions()
    /// The platforms that the user asks for, each once; none for this machine's. The options have the first.
    package var platforms: [Platform] = []
    package var outputs: [BuildOutput] = []
    /// The secrets for `RUN --mount=type=secret`, and for ADD by the name of a server; of one ID the last counts.
    package var secrets: [BuildSecret] = []
    /// The agents for `RUN --mount=type=ssh`; of one ID the last counts.
    package var agents: [AgentSocket] = []
    /// How commands are isolated; `nil` leaves it to what the machine offers.
    package var isolation: Isolation?
    /// The privileges and limits of the commands.
    package var sandbox = SandboxRequest()
    /// Settings of all commands.
    package var steps = StepSettings()
    /// How new what is found must be.
    package var freshness = Freshness()
    /// Caches to read and to write.
    package var caches = CacheSharing()
    package var attestations = AttestationRequest()
    /// Whether equal commits give equal images: contexts are seen as Git has them, and an epoch is required.
    package var isReproducible = false
    /// The layers of the image that become one; `nil` for none.
    package var squash: Squash?
    /// The parts of the metadata file that are optional.
    package var metadata = MetadataRequest()
    /// Whether the image's manifest says what built it.
    package var namesBuilder = true

    package var housekeeping = HousekeepingRequest()

    package init(context: FilePath) { self.context = context }

    /// Whether files of the build come from the standard input.
    package var readsInput: Bool {
        if case .standardInput = inputs.context { return true }
        if case .standardInput = inputs.definition { return true }
        return false
    }

    /// Whether an image comes of it, and not only files.
    package var makesImage: Bool {
        outputs.isEmpty || outputs.contains { $0.isImage }
    }

    /// The hosts of registries of which outputs and caches want no proof, and which may be reached by plain HTTP.
    package var insecureRegistries: [String] {
        let outputs = outputs.compactMap(\.settings).filter(\.naming.isInsecure)
        var references = outputs.flatMap { $0.names + [$0.naming.danglingPrefix].compactMap(\.self) }
        if !outputs.isEmpty { references += tags }
        for case .registry(let reference, true) in caches.imports { references.append(reference) }
        for case .registry(let reference, true) in caches.exports.map(\.target) { references.append(reference) }
        return references.map(\.registry)
    }

    /// Whether the build pushes or writes a manifest, so that its digest is known.
    package var writesManifest: Bool { outputs.contains { $0.writesManifest } }

    /// All names that the image gets in any output, the build's own first.
    package var names: [ImageReference] {
        let own = outputs.compactMap(\.settings).flatMap(\.names)
        return tags + own.enumerated().filter { !tags.contains($1) && !own[..<$0].contains($1) }.map(\.element)
    }

    /// The builder of the image. It is not part of the config, which stays comparable with that of other builders.
    package static let builderAnnotations = ["dev.lamina.version": Version.current]
}

/// The version of this program.
package enum Version {
    package static let current = "0.1.0"
}
