import Attestations
import Caching
package import Contexts
import Diagnostics
import DockerfileSyntax
package import Execution
package import Frontend
import Graph
package import Images
import Layers
import Linux
import OCI
package import Records
package import Requests
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
            await images.compression.stop()
            try? await images.giveBackNames()
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
        let tools = BuildTools(request, images: images, progress: progress)
        let context = try await loadContext(tools.loader)
        let source = try await loadDefinition(in: context, tools.remotes) { note($0) }
        try await offload { [recorder] in recorder.announce() }
        let rules = try await loadIgnoreRules(of: context, dockerfile: source.path)
        let (product, hasGrown) = try await tolerateLosses(source.step) {
            try await build(source, rules, context, tools)
        }
        _ = consume lease
        await cleanUp(hasGrown: hasGrown)
        return BuildResult(
            image: product.image, index: product.index?.descriptor, manifest: product.manifest,
            provenances: provenancesForMetadata(product.provenances), origins: product.draft?.origins ?? [],
            warnings: warnings.warnings)
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

    /// The result, and whether the store has grown.
    private func build(
        _ source: Definition, _ rules: IgnoreRules, _ context: BuildContext, _ tools: BuildTools
    ) async throws -> (BuildProduct, Bool) {
        async let imports = CacheImports.load(
            request.caches.imports, platforms: request.platforms.isEmpty ? [.host] : request.platforms, images: images,
            progress: progress)
        let lock = try await lock()
        let resolver = baseImages(lock)
        let options = try await options(
            for: source, BuildEpoch(remotes: tools.remotes, inputs: request.inputs, context: context))
        let plans = try await self.plans(source, options, rules: rules, resolver: resolver)
        let plan = plans[0]
        // The results of the platforms come first.
        let targets = plans.map(\.target) + plans.flatMap(\.unusedStages)
        let vertices = plan.graph.reachable(from: targets)
        try request.sandbox.check(vertices)
        if plans.contains(where: \.hasCommands) { try await offload { try tools.isolation.requireEntry() } }
        let form: ContextForm = request.isReproducible ? .git : .disk
        let contexts = ContextTreeCache(
            main: try ContextTree(
                context.directory, rules: rules, cache: context.isTemporary ? nil : store.contexts,
                form: context.isLocal ? form : .disk, without: store.path, reading: ContextProgress(progress).reading),
            named: request.inputs.contexts, loader: tools.loader, form: form)
        let sandboxFiles = try SandboxFiles(
            in: store, network: request.steps.network, environment: images.registry.environment,
            hostname: options.sandboxHostname ?? "buildkitsandbox")
        defer { sandboxFiles.remove() }
        let runner = runner(
            tools, contexts, sandboxFiles, try await imports, time: plan.epoch.map { Timestamp(seconds: $0) },
            vertices)
        recorder.plan(vertices) { runner.step($0).kind }
        let early = EarlyCompression(request, plans, images.compression)
        let solver = GraphSolver(
            runner: runner, progress: progress, limits: request.limits,
            usesDefinitions: runner.cache.oldest == nil,
            observe: { [recorder] vertex, note in
                recorder.observe(vertex, note.mapResult(\.digest))
                early.observe(vertex, note)
            })
        let results = try await solver.solve(plan.graph, targets: targets)
        var builds = zip(plans, results).map { plan, result in
            PlatformBuild(platform: plan.config.platform, plan: plan, stack: result.state)
        }
        await contexts.saveDigests()
        try await offload { [store] in
            runner.cache.uses.note(in: store)
        }
        try await addProvenance(to: &builds, source, options, tools)
        let product =
            request.makesIndex
            ? try await export(builds, runner: runner)
            : try await export(builds[0], runner: runner)
        try await exportCaches(builds, runner: runner)
        try await offload { try lock?.save() }
        for build in builds { await review(build.plan, build.stack, step: source.step) }
        // Nothing else keeps what was unpacked for this build.
        withExtendedLifetime(context) {}
        return (product, runner.cache.uses.hasGrown)
    }

    /// The digests of base images that the build is to start from.
    func lock() async throws -> BaseLock? {
        try await offload { [request] in try request.freshness.lock.map { try BaseLock(path: $0) } }
    }

    func baseImages(_ lock: BaseLock?) -> BaseImages {
        var resolver = BaseImages(
            images: images, progress: progress, pull: request.freshness.pull, contexts: request.inputs.contexts)
        resolver.lock = lock
        resolver.namesPlatforms = request.makesIndex
        return resolver
    }

    /// The runner of the build's steps; `time` stands for every time if it is given.
    private func runner(
        _ tools: BuildTools, _ contexts: ContextTreeCache, _ sandboxFiles: SandboxFiles, _ imports: CacheImports,
        time: Timestamp?, _ vertices: [Vertex]
    ) -> BuildRunner {
        BuildRunner(
            cache: StepCache(
                store: store, imports: imports, missing: images.fetcher.gone,
                oldest: request.freshness.oldest(at: tools.started)),
            files: InputFiles(snapshots: tools.loader.snapshots), contexts: contexts, remotes: tools.remotes,
            storage: LayerStorage(store: store), layerProgress: tools.layerProgress,
            commands: CommandEnvironment(
                files: sandboxFiles, isolation: tools.isolation, request: request.sandbox, steps: request.steps,
                failureShell: failureShell, credentials: tools.credentials, copies: ContextCopyPool(store),
                workingTrees: WorkingTreePool(store: store, layers: tools.trees)),
            ingredients: recorder.journal, now: time ?? tools.started,
            unpacked: BuildRunner.unpacked(among: vertices))
    }

    /// Runs the checks that need the layers. Whatever goes wrong, the build has succeeded.
    private func review(_ plan: BuildPlan, _ state: LayerStack, step: StepReporter) async {
        let known = warnings.warnings.count
        try? await offload { [store] in try LayerReview(plan, state, layers: store.layers).report() }
        warnings.take(over: plan.layerChecks.warnings)
        for warning in warnings.warnings.dropFirst(known) { step.warn(warning.summary) }
    }

    /// Keeps the store within its limits. Whatever goes wrong, the build has succeeded.
    private func cleanUp(hasGrown: Bool) async {
        let policy = request.housekeeping.collection
        let pruning = try? await offload { [store] () -> Pruning? in
            try store.collectRemains(until: ContinuousClock.now + .seconds(3))
            return try hasGrown && policy.isOn ? store.collectAutomatically(policy) : nil
        }
        guard let pruning = pruning ?? nil else { return }
        let step = progress.begin("[internal] clean up the store")
        step.status("removing \(pruning.records.count) results", current: pruning.freedBytes, isComplete: true)
        step.finish(.done)
    }
}

extension BuildPlan {
    /// Whether the target needs a command to be run.
    fileprivate var hasCommands: Bool {
        vertices.contains { if case .run = $0.operation { true } else { false } }
    }
}

extension BuildRequest {
    /// The limits of steps that run at once. Commands that read one input take their turns.
    fileprivate var limits: StepLimits {
        let jobs = housekeeping.jobs ?? (steps.passesInput ? 1 : nil)
        return jobs.map { StepLimits(total: $0) } ?? .standard(cores: Processors.online)
    }
}
