import ArgumentParser
import Console
import Contexts
import Diagnostics
import Engine
import Execution
import Frontend
import Images
import Linux
import OCI
import Progress
import Records
import Requests
import Solver
import Store
import SystemPackage

struct BuildCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Build an image from a Dockerfile.",
        discussion: """
            Without -t the image is stored without a name, and its ID is printed.

            EXAMPLES:
              lamina build -t app .
              lamina build -t app -f docker/Dockerfile --build-arg VERSION=2 .
              lamina build -t registry.example/app:2 --push https://git.example/app.git#v2
              lamina build --platform linux/amd64,linux/arm64 -o type=oci,dest=app.tar .
              lamina build --check .
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Name of the image, NAME[:TAG]; may be repeated.", valueName: "name"))
    var tag: [String] = []

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The Dockerfile (default: PATH/Dockerfile).", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("The stage to build (default: the last).", valueName: "stage"))
    var target: String?

    @OptionGroup var arguments: ArgumentOptions

    @OptionGroup var contexts: ContextOptions

    @Option(
        name: .customLong("label"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a label of the image.", valueName: "K=V"))
    var labels: [String] = []

    @Option(
        name: .customLong("secret"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Give a secret to RUN --mount=type=secret: id=ID[,src=PATH][,env=VAR].", valueName: "spec"))
    var secrets: [String] = []

    @Option(
        name: .customLong("ssh"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Forward an SSH agent to RUN --mount=type=ssh: default, or ID[=SOCKET].", valueName: "spec"))
    var agents: [String] = []

    @OptionGroup(title: "Sandbox options") var sandbox: SandboxOptions

    @OptionGroup(title: "Cache options") var cacheUse: CacheUseOptions
    @OptionGroup(title: "Image options") var config: ConfigOptions

    @Option(help: ArgumentHelp("How to show progress: auto, plain, tty, quiet or rawjson.", valueName: "mode"))
    var progress: String?

    @Option(
        name: .customLong("logfile"), parsing: .unconditional,
        help: ArgumentHelp("Append the progress to a file instead of showing it.", valueName: "file"))
    var logFile: String?

    @Flag(name: .shortAndLong, help: "Print the image ID only.")
    var quiet = false

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Where the result goes: DIR, -, or type=image|registry|oci|docker|local|tar|cacheonly,dest=PATH; may be "
                + "repeated.", valueName: "spec"))
    var output: [String] = []

    @Flag(name: .customLong("push"), help: "Push the image: -o type=registry.")
    var push = false

    @OptionGroup(title: "Image options") var form: ImageFormOptions
    @OptionGroup(title: "Attestation options") var attestations: AttestationOptions
    @OptionGroup(title: "Result files") var resultFiles: ResultFileOptions

    @Option(
        name: .customLong("annotation"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Set an annotation of the manifest, or of manifest[PLATFORM], manifest-descriptor, index or "
                + "index-descriptor.", valueName: "[TYPE:]K=V"))
    var annotations: [String] = []

    @Flag(
        name: .customLong("builder-annotation"), inversion: .prefixedNo,
        help: "Say in the manifest which version of lamina built the image.")
    var builderAnnotation = true

    @Option(
        help: ArgumentHelp(
            "Answer a question instead of building: check, outline or targets, with ,format=json for programs.",
            valueName: "method"))
    var call: String?

    @OptionGroup(title: "Questions and reports") var reports: ReportOptions

    @Flag(help: "Check the Dockerfile and build nothing: --call=check.")
    var check = false

    @OptionGroup(title: "Isolation options") var isolation: IsolationOptions
    @OptionGroup(title: "Isolation options") var steps: StepOptions
    @OptionGroup(title: "Cache options") var caches: CacheOptions

    @OptionGroup(title: "Cache options") var housekeeping: HousekeepingOptions

    @Argument(
        help: ArgumentHelp(
            "The files of the build: a directory, the URL of a Git repository or an archive, or - for stdin (default: "
                + "this directory, where it has a Dockerfile or a Containerfile).", valueName: "path"))
    var givenPath: String?

    var path: String { contexts.path(of: givenPath ?? ".") }

    func run() async throws {
        try ForeignVariables.check(GlobalOptions.environment)
        let mode = try Self.checkingUsage(progressMode)
        let subrequest = try Self.checkingUsage(subrequest)
        try Self.checkingUsage(checkPath)
        let log = try Self.checkingUsage(openLog)
        defer { withExtendedLifetime(log) {} }
        let renderer = ProgressRenderer(
            mode: mode, to: log.map { OutputTerminal(descriptor: $0.number) } ?? .standardError)
        let request = try supportedRequest(renderer)
        let trace = try Self.checkingUsage(reports.openTrace)
        let warnings = WarningLog()
        let reference = BuildReference()
        let texts = SourceTexts()
        try await global.run(canceled: "ERROR: build canceled") {
            let source = SourceLines(context: FilePath(path), texts: texts)
            let summary = WarningSummary(isDebug: global.debug, source: source.lines)
            do {
                guard subrequest.method == .build else {
                    let answer = try await run(request, renderer, warnings, texts) {
                        try await subrequest.answer(of: $0)
                    }
                    renderer.finish()
                    return try show(answer)
                }
                try resultFiles.prepare()
                let result = try await run(request, renderer, warnings, texts) { build in
                    reference.current = build.recorder.reference
                    let result = try await build.run()
                    try await resultFiles.write(result, of: build)
                    return result
                }
                renderer.finish()
                if mode.showsWarnings { show(summary.lines(for: warnings.warnings)) }
                try reports.show(reference.current, trace, in: global.store(.readOnly))
                report(result, of: request)
            } catch {
                if error is ExitStatus { throw error }
                try UserNamespaceEntry.retry(after: error)
                renderer.finish(error: error)
                if mode.showsWarnings { show(summary.lines(for: warnings.warnings)) }
                // A failure after a cancellation comes of it.
                if error is CancellationError || Task.isCancelled { throw CancellationError() }
                ErrorRenderer(isDebug: global.debug, source: source.lines).print(error, isBuild: true)
                try? reports.show(reference.current, trace, in: global.store(.readOnly))
                throw ExitStatus.failure
            }
        }
    }

    /// Reads no file that can be read only once, as this process may have to begin again after it.
    func needsUserNamespace() -> Bool {
        guard (try? subrequest().method) == .build, (try? isolation.mode().needsUserNamespace) == true else {
            return false
        }
        var request = BuildRequest(context: FilePath(path))
        guard let inputs = try? contexts.inputs(path: path, file: file, arguments: []) else { return false }
        request.inputs = inputs
        if inputs.definition == nil { request.dockerfile = file.map { FilePath($0) } }
        request.isolation = (try? isolation.mode()) ?? nil
        // A build that begins again because of its base image would find streams at their end.
        return arguments.readsStreams || sandbox.readsStreams || steps.passesInput || request.needsUserNamespace
    }

    // MARK: Values of the options

    private func subrequest() throws -> BuildCall {
        guard let call else { return try BuildCall(parsing: check ? "check" : "build") }
        guard !check else { throw ValidationError("--check and --call contradict each other") }
        return try BuildCall(parsing: call)
    }

    /// A directory is built without being named if it is meant to be.
    private func checkPath() throws {
        guard givenPath == nil, file == nil, (try? LocalFiles.dockerfile(nil, in: ".")) == nil else { return }
        throw ValidationError(
            "this directory has no Dockerfile and no Containerfile: name the directory with the files of the build")
    }

    private func openLog() throws -> SharedDescriptor? {
        guard let logFile else { return nil }
        do {
            return SharedDescriptor(
                try OwnedDescriptor.open(
                    FilePath(logFile), .writeOnly, options: [.create, .append],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead]))
        } catch {
            throw ValidationError("cannot write '\(logFile)': \(describe(error))")
        }
    }

    func progressMode() throws -> ProgressMode {
        let name = progress ?? GlobalOptions.environment["BUILDKIT_PROGRESS"] ?? "auto"
        guard let mode = ProgressMode(rawValue: name) else {
            throw ValidationError("invalid progress mode '\(name)': use auto, plain, tty, quiet or rawjson")
        }
        guard quiet else { return mode }
        guard progress == nil || mode == .auto || mode == .quiet else {
            throw ValidationError("--quiet and --progress=\(name) contradict each other")
        }
        return .quiet
    }

    /// The request of the command line; if it asks for what does not exist yet, the error is printed and the program
    /// ends with 1.
    func supportedRequest(_ renderer: ProgressRenderer) throws -> BuildRequest {
        do {
            return try Self.checkingUsage {
                var request = try request()
                try steps.apply(to: &request)
                return request
            }
        } catch let error as RequestsError {
            ErrorRenderer(isDebug: global.debug).print(error, isBuild: true)
            throw ExitStatus.failure
        }
    }

    // MARK: Builds

    /// Runs `body` with a build, and closes the connections to registries after it.
    func run<Value: Sendable>(
        _ request: BuildRequest, _ renderer: ProgressRenderer, _ warnings: WarningLog, _ texts: SourceTexts,
        _ body: (Build) async throws -> Value
    ) async throws -> Value {
        var registries = registries
        registries.insecureRegistries += request.insecureRegistries
        let images = try global.images(registries)
        let build = Build(
            request, store: images.store, images: images, progress: ProgressReporter(sink: renderer.receive),
            warnings: warnings, texts: texts,
            failureShell: request.steps.opensShellOnFailure ? Self.failureShell(renderer) : nil)
        return try await images.closingRegistry { try await body(build) }
    }

    /// A shell for the first command that fails, announced below the progress, which ends with that failure.
    private static func failureShell(_ renderer: ProgressRenderer) -> FailureShell {
        FailureShell { failure in
            renderer.finish(error: failure)
            tell("ERROR: \(TerminalText.line(failure.message))")
            tell("A shell in the files of the step; leave it to end the build.")
        }
    }

    private func report(_ result: BuildResult, of request: BuildRequest) {
        let isPiped = request.outputs.contains { $0.isStandardOutput }
        guard let id = result.imageID, quiet || tag.isEmpty, !isPiped, !reports.printsDocument else { return }
        say(id.description)
    }

    private func show(_ answer: BuildCall.Answer) throws {
        answer.lines.forEach(say)
        show(answer.errorLines)
        if answer.status != 0 { throw ExitStatus(code: answer.status) }
    }

    private func show(_ lines: [String]) {
        for line in lines { tell(line) }
    }
}
