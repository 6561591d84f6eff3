import ArgumentParser
import Console
import Diagnostics
import Engine
import Frontend
import OCI
import Solver
import Store
import SystemPackage

struct BuildCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Build an image from a Dockerfile.",
        discussion: "Without -t the image is stored without a name, and its ID is printed.")

    @OptionGroup var global: GlobalOptions

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
        help: ArgumentHelp("Lend a secret to RUN --mount=type=secret: id=ID[,src=PATH][,env=VAR].", valueName: "spec"))
    var secrets: [String] = []

    @Option(
        name: .customLong("ssh"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Lend an SSH agent to RUN --mount=type=ssh: default, or ID[=SOCKET].", valueName: "spec"))
    var agents: [String] = []

    @OptionGroup(title: "Sandbox options") var sandbox: SandboxOptions

    @OptionGroup var cacheUse: CacheUseOptions

    @Option(help: ArgumentHelp("How to show progress: auto, plain, tty, quiet or rawjson.", valueName: "mode"))
    var progress: String?

    @Flag(name: .shortAndLong, help: "Print the image ID only.")
    var quiet = false

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Where the result goes: DIR, -, or type=oci|docker|local|tar|registry,dest=PATH.", valueName: "spec"))
    var output: [String] = []

    @Flag(name: .customLong("push"), help: "Push the image: -o type=registry.")
    var push = false

    @OptionGroup var resultFiles: ResultFileOptions

    @Option(
        name: .customLong("annotation"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set an annotation of the manifest.", valueName: "K=V"))
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

    @OptionGroup var reports: ReportOptions

    @Flag(help: "Check the Dockerfile and build nothing: --call=check.")
    var check = false

    @OptionGroup var isolation: IsolationOptions
    @OptionGroup var steps: StepOptions
    @OptionGroup var caches: CacheOptions

    @OptionGroup var housekeeping: HousekeepingOptions

    @Argument(help: "The files of the build: a directory, the URL of a Git repository or an archive, or - for stdin.")
    var path: String

    func run() async throws {
        let mode = try progressMode()
        let question = try question()
        let renderer = ProgressRenderer(mode: mode)
        let warnings = WarningLog()
        let reference = BuildReference()
        let texts = SourceTexts()
        try await global.run(canceled: "ERROR: build canceled") {
            let source = SourceLines(context: FilePath(path), texts: texts)
            let summary = WarningSummary(isDebug: global.debug, source: source.lines)
            do {
                guard question.method == .build else { return try await answer(question, renderer, warnings, texts) }
                try resultFiles.prepare()
                let result = try await run(renderer, warnings, texts) { build in
                    reference.current = build.recorder.reference
                    let result = try await build.run()
                    try await resultFiles.write(result, of: build)
                    return result
                }
                renderer.finish()
                if mode.showsWarnings { show(summary.lines(for: warnings.warnings)) }
                try reports.show(reference.current, in: global.store(.readOnly))
                report(result)
            } catch {
                if error is ExitStatus { throw error }
                try UserNamespaceEntry.retry(after: error)
                renderer.finish(error: error)
                if mode.showsWarnings { show(summary.lines(for: warnings.warnings)) }
                // Whatever went wrong after the user gave up is no news.
                if error is CancellationError || Task.isCancelled { throw CancellationError() }
                ErrorRenderer(isDebug: global.debug, source: source.lines).print(error, isBuild: true)
                try? reports.show(reference.current, in: global.store(.readOnly))
                throw ExitStatus.failure
            }
        }
    }

    /// What is wrong with the arguments themselves is a wrong command line, and ends with 2.
    func validate() throws {
        do {
            var request = try request()
            try steps.apply(to: &request)
        } catch let error as EngineError where error.code == .unsupported {
            return
        } catch let error as any AnyFailure {
            throw ValidationError(error.message + (error.hint.map { "\n\($0)" } ?? ""))
        }
    }

    func needsUserNamespace() -> Bool {
        guard let question = try? question(), question.method == .build, let request = try? request() else {
            return false
        }
        return request.needsUserNamespace
    }

    private func show(_ lines: [String]) {
        for line in lines { OutputTerminal.standardError.write(line + "\n") }
    }

    // MARK: Questions

    private func question() throws -> BuildCall {
        guard let call else { return try BuildCall(parsing: check ? "check" : "build") }
        guard !check else { throw ValidationError("--check and --call contradict each other") }
        return try BuildCall(parsing: call)
    }

    private func answer(
        _ question: BuildCall, _ renderer: ProgressRenderer, _ warnings: WarningLog, _ texts: SourceTexts
    ) async throws {
        let answer = try await run(renderer, warnings, texts) { try await question.answer(of: $0) }
        renderer.finish()
        answer.lines.forEach(say)
        show(answer.errorLines)
        if answer.status != 0 { throw ExitStatus(code: answer.status) }
    }

    // MARK: Builds

    private func progressMode() throws -> ProgressMode {
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

    /// Lets `body` use a build, and closes the connections to registries behind it.
    private func run<Value: Sendable>(
        _ renderer: ProgressRenderer, _ warnings: WarningLog, _ texts: SourceTexts,
        _ body: (Build) async throws -> Value
    ) async throws -> Value {
        var request = try request()
        try steps.apply(to: &request) { failure in
            renderer.finish(error: EngineError(.runFailed, failure))
            OutputTerminal.standardError.write(
                "ERROR: \(TerminalText.line(failure))\nA shell in the files of the step; leave it to end the build.\n")
        }
        let images = try global.images()
        let build = Build(
            request, store: images.store, images: images, progress: ProgressReporter(sink: renderer.receive),
            warnings: warnings, texts: texts)
        do {
            let result = try await body(build)
            try await images.registry.shutdown()
            return result
        } catch {
            try? await images.registry.shutdown()
            throw error
        }
    }

    private func report(_ result: BuildResult) {
        let isPiped = (try? request().outputs.contains { $0.isStandardOutput }) ?? false
        guard let id = result.imageID, quiet || tag.isEmpty, !isPiped, !reports.printsDocument else { return }
        say(id.description)
    }

    private func request() throws -> BuildRequest {
        var request = BuildRequest(context: FilePath(path))
        request.inputs = try contexts.inputs(path: path, file: file, arguments: arguments.arguments())
        if request.inputs.definition == nil { request.dockerfile = file.map { FilePath($0) } }
        request.tags = try tag.map { try Self.tagReference($0) }
        for text in output {
            let (output, names) = try BuildOutput.parse(text)
            request.outputs.append(output)
            request.tags += try names.map { try Self.tagReference($0) }
        }
        if push { request.outputs.append(.push) }
        if request.outputs.contains(.push), request.tags.isEmpty {
            throw EngineError(.badOutput, "tag is needed when pushing to registry", hint: "Name the image with -t.")
        }
        request.isolation = try isolation.mode()
        request.options = try options()
        request.freshness = try cacheUse.freshness()
        request.housekeeping = try housekeeping.request()
        request.caches = try caches.sharing(request.options.buildArguments)
        request.secrets = try secrets.map { try BuildSecret.parse($0, environment: GlobalOptions.environment) }
        request.agents = try agents.map { try AgentSocket.parse($0, environment: GlobalOptions.environment) }
        request.sandbox = try sandbox.request()
        request.annotations = builderAnnotation ? BuildRequest.builderAnnotations : [:]
        for annotation in annotations {
            let (key, value) = KeyValue.pair(annotation)
            request.annotations[key] = value ?? ""
        }
        try resultFiles.check(request)
        return request
    }

    private static func tagReference(_ text: String) throws -> ImageReference {
        let reference = try ImageReference(parsing: text)
        guard reference.digest == nil else {
            throw EngineError(.badOutput, "invalid tag \"\(text)\": a name of a build has no digest")
        }
        return reference
    }

    private func options() throws -> BuildOptions {
        let platform = try arguments.platformChoice()
        return BuildOptions(
            target: target, buildArguments: try arguments.arguments(),
            labels: labels.map { text in
                let (name, value) = KeyValue.pair(text)
                return (name, value ?? "")
            }, platform: platform ?? .host, isPlatformExplicit: platform != nil,
            noCache: try cacheUse.noCacheChoice(), contexts: try contexts.named())
    }
}
