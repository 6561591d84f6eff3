package import OCI

/// A command that the user wants to run in an image. A value: nothing has happened yet.
package struct RunRequest: Sendable {
    /// A name or an ID.
    package var image: String
    /// The words after the image: the arguments of its entry point, in place of its own.
    package var arguments: [String] = []
    /// In place of the image's own; empty for none.
    package var entrypoint: [String]?
    /// Put over the image's environment, the last of a name wins.
    package var environment: [(name: String, value: String)] = []
    /// `user[:group]`, in place of the image's.
    package var user: String?
    /// Absolute, in place of the image's.
    package var workingDirectory: String?
    /// `nil` for a random one.
    package var hostname: String?
    package var isRootReadOnly = false
    /// Whether nothing is said while the image is pulled.
    package var isPulledQuietly = false
    /// The platform of the image; `nil` for this machine's.
    package var platform: Platform?
    /// The cases in which the registry is asked though the store may have the image.
    package var pull = PullPolicy.missing
    /// `nil` leaves the choice to what this machine offers.
    package var isolation: Isolation?
    /// The privileges and limits of the command.
    package var sandbox = SandboxRequest()
    /// The options that ``sandbox`` was made of, which a container keeps.
    package var sandboxOptions: [SandboxRequest.Option] = []
    /// Whether the command may do everything that this process may.
    package var isPrivileged = false
    /// The ports of this machine that lead to the command; with any, it has a private network.
    package var ports: [PortMapping] = []
    package var network = NetworkSettings()
    package var volumes = VolumeSettings()
    /// Whether the command reads what this process can read.
    package var isInteractive = false
    package var hasTerminal = false

    package init(image: String) { self.image = image }
}
