package import Frontend
package import OCI
package import SystemPackage

/// What the user asks a build to do. A value: nothing has happened yet.
package struct BuildRequest: Sendable {
    /// The directory with the files of the build.
    package var context: FilePath
    /// The Dockerfile, relative to the working directory; `nil` for `Dockerfile` in the context.
    package var dockerfile: FilePath?
    package var tags: [ImageReference] = []
    package var options = BuildOptions()
    package var outputs: [BuildOutput] = []
    /// What `RUN --mount=type=secret` may ask for, and ADD by the name of a server; of one id the last counts.
    package var secrets: [BuildSecret] = []
    /// What `RUN --mount=type=ssh` may ask for; of one id the last counts.
    package var agents: [AgentSocket] = []
    /// How commands are isolated; `nil` leaves it to what the machine offers.
    package var isolation: Isolation?
    /// What the commands may do and use.
    package var sandbox = SandboxRequest()
    /// Caches to read and to write.
    package var caches = CacheSharing()
    /// Annotations of the image's manifest; by default they say what built it.
    package var annotations = BuildRequest.builderAnnotations

    package init(context: FilePath) { self.context = context }

    /// What built the image. It is no part of the config, which stays comparable with that of other builders.
    package static let builderAnnotations = ["dev.lamina.version": Version.current]
}

/// The version of this program.
package enum Version {
    package static let current = "0.1.0"
}

/// What came of a build.
package struct BuildResult: Sendable {
    /// The digest of the image's config; `nil` when no image was asked for.
    package let imageID: Digest?
    package let warnings: [Warning]
}
