import ArgumentParser
import Diagnostics
import Engine
import Frontend
import Requests
import SystemPackage

/// Where a build's files come from, besides its argument.
struct ContextOptions: ParsableArguments {
    @Option(
        name: .customLong("build-context"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Give files or an image a name for FROM, COPY --from and RUN --mount: NAME=PATH, "
                + "docker-image://IMAGE, oci-layout://PATH[:TAG] or a URL.", valueName: "name=source"))
    var contexts: [String] = []

    @Option(
        name: .customLong("ignorefile"), parsing: .unconditional,
        help: ArgumentHelp("The ignore file (default: the Dockerfile's own, or .dockerignore).", valueName: "file"))
    var ignoreFile: String?

    /// The meaning of the contexts in a Dockerfile.
    func named() throws -> NamedContexts { try parsed().named() }

    private func parsed() throws -> [NamedContext] { try contexts.map { try NamedContext(parsing: $0) } }

    /// `path` and `file` are the argument and `-f` of the command, `arguments` the build arguments.
    func inputs(
        path: String, file: String?, arguments: [(name: String, value: String?)]
    ) throws -> BuildInputs {
        var inputs = BuildInputs()
        let keeps = arguments.last { $0.name == "BUILDKIT_CONTEXT_KEEP_GIT_DIR" }?.value ?? ""
        switch try ContextLocation(parsing: path, keepsGitDirectory: ["1", "t", "true"].contains(keeps.lowercased())) {
        case .directory: break
        case let location: inputs.context = location
        }
        if file == "-" { inputs.definition = .standardInput }
        if let file, case .http(let source)? = try RemoteContext(file) { inputs.definition = .url(source) }
        inputs.ignoreFile = ignoreFile.map { FilePath($0) }
        inputs.contexts = try parsed()
        try inputs.check()
        return inputs
    }
}
