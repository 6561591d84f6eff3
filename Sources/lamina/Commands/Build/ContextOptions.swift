import ArgumentParser
import Diagnostics
import Engine
import Frontend
import Requests
import SystemPackage

/// Sources of a build's files, besides its argument.
struct ContextOptions: ParsableArguments {
    @Option(
        name: .customLong("build-context"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Give files or an image a name for FROM, COPY --from and RUN --mount: NAME=PATH, "
                + "docker-image://IMAGE, oci-layout://PATH[:TAG] or a URL.", valueName: "name=source"))
    var contexts: [String] = []

    @Option(
        name: .customLong("context-sub-path"), parsing: .unconditional,
        help: ArgumentHelp("The directory of the context that has the files of the build.", valueName: "dir"))
    var subdirectory: String?

    @Option(
        name: .customLong("ignorefile"), parsing: .unconditional,
        help: ArgumentHelp("The ignore file (default: the Dockerfile's own, or .dockerignore).", valueName: "file"))
    var ignoreFile: String?

    /// The meaning of the contexts in a Dockerfile.
    func named() throws -> NamedContexts { try parsed().named() }

    private func parsed() throws -> [NamedContext] { try contexts.map { try NamedContext(parsing: $0) } }

    /// The argument of the command as far as it is a directory of this machine, else as it is.
    func path(of argument: String) -> String {
        guard
            case .directory(let path)? = try? ContextLocation(
                argument: argument, keepsGitDirectory: false, environment: GlobalOptions.environment)
        else { return argument }
        return subdirectory.map { path.appending(FilePath($0).components).string } ?? path.string
    }

    /// `path` and `file` are the argument and `-f` of the command, `arguments` the build arguments.
    func inputs(
        path: String, file: String?, arguments: [(name: String, value: String?)]
    ) throws -> BuildInputs {
        var inputs = BuildInputs()
        let keeps = arguments.last { $0.name == "BUILDKIT_CONTEXT_KEEP_GIT_DIR" }?.value ?? ""
        let location = try ContextLocation(
            argument: path, keepsGitDirectory: ["1", "t", "true"].contains(keeps.lowercased()),
            environment: GlobalOptions.environment)
        if case .directory = location {
        } else {
            inputs.context = location
            inputs.subdirectory = subdirectory.map { FilePath($0) }
        }
        if file == "-" { inputs.definition = .standardInput }
        if let file, case .http(let source)? = try RemoteContext(file) { inputs.definition = .url(source) }
        inputs.ignoreFile = ignoreFile.map { FilePath($0) }
        inputs.contexts = try parsed()
        try inputs.check()
        return inputs
    }
}
