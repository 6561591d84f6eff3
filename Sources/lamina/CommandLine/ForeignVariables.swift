/// The variables of other builders that Lamina does not follow.
///
/// They may be set for a tool that stands beside it, so most have no effect, which `--debug` says. A variable that asks
/// for another place or for a check of what is built is refused.
enum ForeignVariables {
    /// The variables without effect, by their names, and why.
    static let withoutEffect: [(name: String, reason: String)] = [
        ("BUILDAH_LAYERS", "every step is a layer"),
        ("BUILDX_BUILDER", noBuilders),
        ("BUILDX_CONFIG", noBuilders),
        ("BUILDX_NO_DEFAULT_ATTESTATIONS", "an image has attestations only where they are asked for"),
        ("BUILDX_NO_DEFAULT_LOAD", "an image is in the store unless --output says otherwise"),
        ("DOCKER_BUILDKIT", noDaemon),
        ("DOCKER_CERT_PATH", noDaemon),
        ("DOCKER_CLI_EXPERIMENTAL", noDaemon),
        ("DOCKER_CONTENT_TRUST", "signatures are not verified; name base images by digest"),
        ("DOCKER_CONTEXT", noDaemon),
        (dockerHost, "it names a daemon on this machine, and there is none"),
        ("DOCKER_TLS_VERIFY", noDaemon),
        ("STORAGE_DRIVER", storage),
        ("STORAGE_OPTS", storage),
    ]

    private static let noBuilders = "this program is the only builder"
    private static let noDaemon = "there is no daemon"
    private static let storage = "the store has one form; --isolation says how files are shown to commands"

    private static let dockerHost = "DOCKER_HOST"
    private static let policy = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"

    /// A sentence for each variable that is set and has no effect.
    static func notes(_ environment: [String: String]) -> [String] {
        withoutEffect.compactMap { name, reason in
            environment[name].flatMap { $0.isEmpty ? nil : "\(name) has no effect: \(reason)" }
        }
    }

    /// Looks whether a variable asks a command that builds or runs for what is not there.
    ///
    /// - Throws: ``CommandLineError``.
    static func check(_ environment: [String: String]) throws(CommandLineError) {
        if let host = environment[dockerHost], !host.isEmpty, !isLocal(host) {
            throw CommandLineError(
                message: "\(dockerHost) is '\(host)', and there is no daemon: unset it to work on this machine")
        }
        if environment[policy]?.isEmpty == false {
            throw CommandLineError(
                message: "\(policy) is set, and source policies are not read: unset it, and name base images by digest")
        }
    }

    /// Whether an address of Docker's daemon is on this machine by its form.
    private static func isLocal(_ host: String) -> Bool {
        ["unix://", "fd://", "npipe://"].contains { host.hasPrefix($0) } || host.hasPrefix("/")
    }
}
