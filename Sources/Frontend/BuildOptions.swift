package import DockerfileSyntax
package import Graph
package import OCI

/// The user's settings that change the meaning of the Dockerfile.
package struct BuildOptions: Sendable {
    /// The stage to build; `nil` is the last one.
    package var target: String?
    /// In the order given, the last of a name wins; a `nil` value counts as not given.
    package var buildArguments: [(name: String, value: String?)]
    /// Put over the labels of the target stage, the last of a name wins.
    package var labels: [(name: String, value: String)]
    /// The platform of the result.
    package var platform: Platform
    /// Whether the user asked for ``platform``; only then it is written over what the base image says.
    package var isPlatformExplicit: Bool
    /// Whether the labels of steps name their platform, as the build is one of several.
    package var labelsNamePlatforms = false
    package var noCache: NoCache
    /// The network of the commands that do not ask for one.
    package var network = NetworkMode.default
    /// The names that are added to `/etc/hosts` of every command.
    package var hostNames: [String] = []
    /// The name of the machine that commands see, unless a build argument gives one; see ``sandboxHostname``.
    package var hostname: String?
    /// The Dockerfile as the user knows it, for messages.
    package var fileName: String
    /// Lower every stage, so that the checks see all of the file.
    package var checksAllStages: Bool
    /// Build also the stages before the target that it does not need.
    package var buildsUnusedStages = false
    /// Run all of our own checks and not only those for builds.
    package var givesAdvice = false
    /// The rules of the build context's ignore file, for the checks.
    package var ignoreRules: IgnoreRules?
    /// The paths in the build context of the files that a source of COPY takes, for the checks.
    package var contextFiles: (@Sendable (_ source: String) -> [String])?

    /// The image to start from in place of that of the first FROM.
    package var firstBase: String?
    /// Changes of the config of the result.
    package var changes = ConfigChanges()

    /// The contexts that the user gives by name; see ``NamedContexts``.
    package var contexts: NamedContexts

    package init(
        target: String? = nil, buildArguments: [(name: String, value: String?)] = [],
        labels: [(name: String, value: String)] = [], platform: Platform = .host, isPlatformExplicit: Bool = false,
        noCache: NoCache = .none, fileName: String = "Dockerfile", checksAllStages: Bool = false,
        contexts: NamedContexts = NamedContexts()
    ) {
        self.contexts = contexts
        self.target = target
        self.buildArguments = buildArguments
        self.labels = labels
        self.platform = platform
        self.isPlatformExplicit = isPlatformExplicit
        self.noCache = noCache
        self.fileName = fileName
        self.checksAllStages = checksAllStages
    }

    /// The value given for a build argument.
    func buildArgument(_ name: String) -> String? {
        buildArguments.last { $0.value != nil && $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}

/// Which steps must run even if their result is known.
package enum NoCache: Hashable, Sendable {
    case none
    case all
    /// The stages with these names, in any case.
    case stages([String])

    func covers(stage name: String?) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .stages(let names): name.map { name in names.contains { $0.lowercased() == name } } ?? false
        }
    }
}
