import Contexts
import Diagnostics
import Frontend
import Linux
package import Requests
package import Store
import SystemPackage
import Trees

/// Two requests for the same build, of which the second differs in what should make no difference.
package struct BuildVerification: Sendable {
    package let first: BuildRequest
    package let second: BuildRequest
    /// The directories of the two contexts; `nil` for a context that is not on this machine.
    package let directories: (first: String, second: String)?
    /// The names of the machine that commands see.
    package let hostNames: (first: String, second: String)
    /// Removed when the verification is over.
    private let files: TemporaryDirectory

    /// The name of the machine in the second build.
    private static let otherHost = "another-machine"

    /// Copies the context, if it is a directory.
    ///
    /// Throws ``EngineError`` `.unsupported` for a build that cannot be done twice, or makes an index.
    package init(_ request: BuildRequest, in store: StoreRoot) throws {
        guard !request.makesIndex else {
            throw EngineError(
                .unsupported, "only images are compared, and the build makes an index",
                hint: "Leave BUILDKIT_MULTI_PLATFORM out.")
        }
        if case .standardInput? = request.inputs.context { throw Self.readOnce }
        if case .standardInput? = request.inputs.definition { throw Self.readOnce }
        files = try store.temporaryDirectory()
        var first = request
        // Nothing but the image counts, in the form that is asked for.
        let settings = request.outputs.lazy.compactMap(\.settings).first ?? ImageSettings()
        first.outputs = [.store(Self.unnamed(settings))]
        first.tags = []
        first.attestations = AttestationRequest()
        first.caches = CacheSharing()
        first.options.noCache = .all
        var second = first
        let host = first.options.sandboxHostname ?? "buildkitsandbox"
        if first.options.sandboxHostname == nil { second.options.hostname = Self.otherHost }
        hostNames = (host, second.options.sandboxHostname ?? host)
        if request.inputs.context == nil {
            let source = Self.absolute(request.context)
            let copy = files.path.appending("elsewhere").appending("copy")
            try ContextCopy.make(of: source, at: copy)
            second.context = copy
            if let dockerfile = request.dockerfile.map(Self.absolute), dockerfile.starts(with: source) {
                second.dockerfile = copy.appending(dockerfile.components.dropFirst(source.components.count))
            }
            directories = (source.string, copy.string)
        } else {
            directories = nil
        }
        self.first = first
        self.second = second
    }

    private static let readOnce = EngineError(
        .unsupported, "what comes through the standard input can be read only once",
        hint: "Name a directory, an archive or a URL.")

    private static func unnamed(_ settings: ImageSettings) -> ImageSettings {
        var settings = settings
        settings.names = []
        settings.naming = ImageNaming()
        return settings
    }

    private static func absolute(_ path: FilePath) -> FilePath { FileSystem.absolute(path).lexicallyNormalized() }
}
