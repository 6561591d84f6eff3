import Caching
package import Execution
package import Contexts
package import Requests
import Diagnostics
import DockerfileSyntax
package import Frontend
import Graph
package import Images
import Layers
import Linux
import OCI
package import Records
package import Solver
package import Store
import SystemPackage
import Trees

/// One build, from a Dockerfile to an image in the store and wherever else it is asked for.
package struct Build: Sendable {
    let request: BuildRequest
    let store: StoreRoot
    let images: ImageTransfer
    let progress: ProgressReporter
    let warnings: WarningLog
    /// Notes what happens for the history of builds.
    package let recorder: BuildRecorder
    let texts: SourceTexts
    let failureShell: FailureShell?

    /// Warnings go to `warnings` as they are found, and the texts that are read to `texts`, so that a build that fails
    /// leaves it too.
    package init(
        _ request: BuildRequest, store: StoreRoot, images: ImageTransfer, progress: ProgressReporter,
        warnings: WarningLog = WarningLog(), texts: SourceTexts = SourceTexts(), failureShell: FailureShell? = nil
    ) {
        self.failureShell = failureShell
        self.texts = texts
        self.warnings = warnings
        self.request = request
        self.store = store
        self.images = images
        recorder = BuildRecorder(store: store)
        self.progress = progress.observed(by: recorder.receive)
    }

    /// Runs the build.
    ///
    /// Throws the first failure, located in the Dockerfile where it came from there. The store is then as before, but
    /// for the steps that succeeded, whose results the next build finds.
    package func run() async throws -> BuildResult {
        do {
            let result = try await perform()
            try? await record(imageID: result.imageID)
            return result
        } catch {
            try? await record(error: error)
            throw error
        }
    }

    private func record(imageID: Digest? = nil, error: (any Error)? = nil) async throws {
        try await offload { [recorder] in recorder.finish(imageID: imageID, error: error) }
    }

    /// Notes for the history what is built.
    private func note(_ source: DockerfileSource) {
        recorder.begin(
            BuildDetails(request, source), target: request.options.target ?? "", tags: request.tags)
    }

    private func perform() async throws -> BuildResult {
        let lease = try store.lease()
        let started = Timestamp.now
        let credentials = BuildCredentials(
            secrets: request.secrets, agents: request.agents,
            keyAgents: KeyAgents(store: store, environment: images.registry.environment))
        let remotes = RemoteSources(
            store: store, registry: images.registry, credentials: credentials, progress: progress)
        let isolation = StepIsolation(request.isolation, store: store)
        let trees = LayerTreeCache(store.layers)
        let layerProgress = LayerProgress(progress)
        let snapshots = SnapshotUnpacker(
            store: store, trees: trees, supply: images.supply, progress: layerProgress, form: isolation.form)
        let loader = ContextLoader(store: store, remotes: remotes, snapshots: snapshots)
        let files = try await loadContext(loader)
        let source = try await loadDefinition(in: files, remotes) { note($0) }
        try await offload { [recorder] in recorder.announce() }
        let rules = try await loadIgnoreRules(of: files, dockerfile: source.path)
        let inputs = Inputs(
            source: source, rules: rules, files: files, credentials: credentials, loader: loader, trees: trees,
            layerProgress: layerProgress, isolation: isolation, started: started)
        let (product, hasGrown) = try await tolerateLosses(source.step) { try await build(inputs) }
        _ = consume lease
        await cleanUp(hasGrown: hasGrown)
        return BuildResult(image: product.image, manifest: product.manifest, warnings: warnings.warnings)
    }

    /// Runs `body`, and again when a layer turned out to be gone from where it was said to be: what it was known for is
    /// forgotten by then, so that the step that makes it runs.
    private func tolerateLosses<Value: Sendable>(
        _ step: StepReporter, _ body: () async throws -> Value
    ) async throws -> Value {
        var losses: Set<String> = []
        while true {
            do { return try await body() } catch let error as ImagesError where error.code == .layerGone {
                // Gone once more, it is one that no step makes, such as that of a base image.
                guard losses.insert(error.message).inserted else { throw error }
                step.warn("\(error.message); building without it")
                warnings.clear()
            }
        }
    }

    /// The files that are read before the steps are known.
    private struct Inputs {
        let source: Definition
        let rules: IgnoreRules
        let files: BuildContext
        let credentials: BuildCredentials
        /// Knows what has been unpacked for the context: the steps need not unpack it again.
        let loader: ContextLoader
        let trees: LayerTreeCache
        let layerProgress: LayerProgress
        let isolation: StepIsolation
        let started: Timestamp
    }

    /// The result, and whether the store has grown.
    private func build(_ inputs: Inputs) async throws -> (BuildProduct, Bool) {
        async let imports = CacheImports.load(request.caches.imports, images: images, progress: progress)
        let (source, files, isolation) = (inputs.source, inputs.files, inputs.isolation)
        let (loader, trees, remotes) = (inputs.loader, inputs.trees, inputs.loader.remotes)
        let resolver = BaseImages(
            images: images, progress: progress, pull: request.freshness.pull, contexts: request.inputs.contexts)
        let options = try await options(
            for: source, BuildEpoch(remotes: remotes, inputs: request.inputs, context: files))
        let plan = try await lower(source, options, rules: inputs.rules, resolver: resolver)
        try request.sandbox.check(plan.graph.reachable(from: plan.target))
        if plan.hasCommands { try await offload { try isolation.requireEntry() } }
        recorder.plan(plan.graph.reachable(from: plan.target), kind: RecordedStep.Kind.init)
        let now = plan.epoch.map { Timestamp(seconds: $0) } ?? inputs.started
        let context = try ContextTree(
            files.directory, rules: inputs.rules, cache: files.isTemporary ? nil : store.contexts)
        let contexts = ContextTreeCache(main: context, named: request.inputs.contexts, loader: loader)
        let sandboxFiles = try SandboxFiles(
            in: store, network: request.steps.network, environment: images.registry.environment,
            hostname: options.sandboxHostname ?? "buildkitsandbox")
        defer { sandboxFiles.remove() }
        let runner = BuildRunner(
            store: store, storage: LayerStorage(store: store), trees: trees,
            snapshots: loader.snapshots, workingTrees: WorkingTreePool(store: store, layers: trees),
            supply: images.supply, layerProgress: inputs.layerProgress, imports: try await imports, contexts: contexts,
            now: now,
            sandbox: SandboxSettings(
                files: sandboxFiles, isolation: isolation, request: request.sandbox, steps: request.steps,
                failureShell: failureShell),
            credentials: inputs.credentials,
            copies: ContextCopyPool(store),
            remotes: remotes, journal: recorder.journal, oldest: request.freshness.oldest(at: inputs.started))
        let solver = GraphSolver(
            runner: runner, progress: progress, limits: request.housekeeping.limits,
            usesDefinitions: runner.oldest == nil,
            observe: { [recorder] in recorder.observe($0, $1.mapResult(\.digest)) })
        let result = try await solver.solve(plan.graph, target: plan.target)
        await contexts.saveDigests()
        try await offload { [store] in
            runner.uses.note(in: store)
        }
        let product = try await export(plan, result.state, runner: runner, epoch: plan.epoch)
        try await exportCaches(plan, result.state, runner: runner)
        await review(plan, result.state, step: source.step)
        // Nothing else keeps what was unpacked for this build.
        withExtendedLifetime(files) {}
        return (product, runner.uses.hasGrown)
    }

    /// Lowers the Dockerfile and shows what the checks have found, whether or not it can be built.
    private func lower(
        _ source: Definition, _ options: BuildOptions, rules: IgnoreRules, resolver: BaseImages
    ) async throws -> BuildPlan {
        var options = options
        options.ignoreRules = rules
        defer { for warning in warnings.warnings { source.step.warn(warning.summary) } }
        return try await Frontend.lower(source.dockerfile, options, resolver: resolver, log: warnings)
    }

    /// Runs the checks that need the layers. Whatever goes wrong, the build has succeeded.
    private func review(_ plan: BuildPlan, _ state: LayerStack, step: StepReporter) async {
        let known = warnings.warnings.count
        try? await offload { [store] in try LayerReview(plan, state, layers: store.layers).report() }
        for warning in warnings.warnings.dropFirst(known) { step.warn(warning.summary) }
    }

    /// Keeps the store within its limits. Whatever goes wrong, the build has succeeded.
    private func cleanUp(hasGrown: Bool) async {
        let policy = request.housekeeping.collection
        let pruning = try? await offload { [store] in
            try store.collectAutomatically(policy, hasGrown: hasGrown)
        }
        guard let pruning = pruning ?? nil else { return }
        let step = progress.begin("[internal] clean up the store")
        step.status("removing \(pruning.records.count) results", current: pruning.freedBytes, isComplete: true)
        step.finish(.done)
    }

    // MARK: Input

    struct Definition {
        let dockerfile: Dockerfile
        let source: DockerfileSource
        /// `nil` for one that is no file of this machine.
        let path: FilePath?
        let name: String
        let step: StepReporter
    }

    /// Finds the files of the build, and brings those here that are elsewhere.
    func loadContext(_ loader: ContextLoader) async throws -> BuildContext {
        try request.inputs.check()
        guard let location = request.inputs.context else {
            try LocalFiles.requireContext(request.context)
            return BuildContext(request.context, isLocal: true)
        }
        return try await loader.load(location)
    }

    /// Reads and parses the Dockerfile; `source` gets its text even if it cannot be parsed.
    func loadDefinition(
        in context: BuildContext, _ remotes: RemoteSources, _ source: (DockerfileSource) -> Void = { _ in }
    ) async throws -> Definition {
        let file = try await DefinitionFile.load(request.dockerfile, request.inputs, in: context, remotes)
        let step = progress.begin(
            "[internal] load build definition from \(FilePath(file.name).lastComponent?.string ?? file.name)")
        do {
            step.status("transferring dockerfile:", current: Int64(file.bytes.count), isComplete: true)
            let text = DockerfileSource(name: file.name, bytes: file.bytes)
            texts.remember(text)
            source(text)
            let dockerfile = try parse(file.bytes, name: file.name)
            step.finish(.done)
            return Definition(dockerfile: dockerfile, source: text, path: file.path, name: file.name, step: step)
        } catch {
            step.finish(error)
            throw error
        }
    }

    private func parse(_ bytes: [UInt8], name: String) throws -> Dockerfile {
        do { return try Dockerfile(parsing: bytes) } catch {
            throw FrontendImage.refusal(of: bytes, file: name) ?? FrontendError(error, file: name)
        }
    }

    /// Only in the user's own directory an ignore file counts without being asked for.
    func loadIgnoreRules(of context: BuildContext, dockerfile: FilePath?) async throws -> IgnoreRules {
        guard context.isLocal || request.inputs.ignoreFile != nil else { return try IgnoreFile.none().rules }
        return try await progress.step("[internal] load .dockerignore") { step in
            let file = try await offload { [chosen = request.inputs.ignoreFile] in
                try IgnoreFile(dockerfile: dockerfile, context: context.directory, chosen: chosen)
            }
            // BuildKit shows two bytes for a file that is not there.
            step.status("transferring context:", current: Int64(file.path == nil ? 2 : file.size), isComplete: true)
            return file.rules
        }
    }

    // MARK: Output

    private func export(
        _ plan: BuildPlan, _ state: LayerStack, runner: BuildRunner, epoch: Int64?
    ) async throws -> BuildProduct {
        var product = BuildProduct(stack: state, names: request.tags, epoch: epoch)
        if request.outputs.contains(.none) { return product }
        var exporters = request.outputs.compactMap(\.exporter)
        if request.makesImage {
            let image = ImageExporter(
                config: try ImageAssembly.config(plan, state),
                annotations: try await annotations(plan, state, runner: runner))
            exporters.insert(image, at: 0)
        }
        let tools = ExportTools(
            images: images, snapshots: runner.snapshots, layerProgress: runner.layerProgress, progress: progress)
        for exporter in exporters { try await exporter.export(&product, with: tools) }
        return product
    }
}

extension BuildPlan {
    /// Whether the target needs a command to be run.
    fileprivate var hasCommands: Bool {
        graph.reachable(from: target).contains { if case .run = $0.operation { true } else { false } }
    }
}

extension BuildOptions {
    func named(_ name: String) -> BuildOptions {
        var options = self
        options.fileName = name
        return options
    }
}

extension HousekeepingRequest {
    /// The limits of steps that run at once.
    fileprivate var limits: StepLimits {
        jobs.map { StepLimits(total: $0) } ?? .standard(cores: Processors.online)
    }
}
