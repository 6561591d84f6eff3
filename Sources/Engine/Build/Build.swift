import Diagnostics
import DockerfileSyntax
package import Frontend
import Graph
import Layers
import Linux
import OCI
package import Solver
package import Store
import SystemPackage

/// One build, from a Dockerfile to an image in the store and wherever else it is asked for.
package struct Build: Sendable {
    let request: BuildRequest
    let store: StoreRoot
    let images: ImageTransfer
    let progress: ProgressReporter
    let warnings: WarningLog

    /// What the checks find goes to `warnings` as it comes up, so that a build that fails leaves it too.
    package init(
        _ request: BuildRequest, store: StoreRoot, images: ImageTransfer, progress: ProgressReporter,
        warnings: WarningLog = WarningLog()
    ) {
        self.warnings = warnings
        self.request = request
        self.store = store
        self.images = images
        self.progress = progress
    }

    /// Runs the build.
    ///
    /// Throws the first failure, located in the Dockerfile where it came from there. The store is then as before, but
    /// for the steps that succeeded, whose results the next build finds.
    package func run() async throws -> BuildResult {
        let lease = try store.lease()
        let started = Timestamp.now
        let source = try await loadDefinition()
        let rules = try await loadIgnoreRules(dockerfile: source.path)
        let imageID = try await tolerateLosses(source.step) {
            try await build(source, rules: rules, started: started)
        }
        _ = consume lease
        return BuildResult(imageID: imageID, warnings: warnings.warnings)
    }

    /// Runs `body`, and again when a layer turned out to be gone from where it was said to be: what it was known for is
    /// forgotten by then, so that the step that makes it runs.
    private func tolerateLosses(
        _ step: StepReporter, _ body: () async throws -> Digest?
    ) async throws -> Digest? {
        var losses: Set<String> = []
        while true {
            do { return try await body() } catch let error as EngineError where error.code == .layerGone {
                // Gone once more, it is one that no step makes, such as that of a base image.
                guard losses.insert(error.message).inserted else { throw error }
                step.warn("\(error.message); building without it")
                warnings.clear()
            }
        }
    }

    private func build(
        _ source: Definition, rules: IgnoreRules, started: Timestamp
    ) async throws -> Digest? {
        async let imports = CacheImports.load(request.caches.imports, images: images, progress: progress)
        let resolver = BaseImages(images: images, progress: progress)
        let loans = BuildLoans(secrets: request.secrets, agents: request.agents)
        let remotes = RemoteSources(store: store, registry: images.registry, loans: loans, progress: progress)
        let options = try await options(for: source, BuildEpoch(remotes: remotes))
        let plan = try await lower(source, options, rules: rules, resolver: resolver)
        try request.sandbox.check(plan.graph.reachable(from: plan.target))
        let now = plan.epoch.map { Timestamp(seconds: $0) } ?? started
        let context = try ContextTree(request.context, rules: rules, cache: store.contexts)
        let trees = LayerTrees(store.layers)
        let isolation = StepIsolation(request.isolation)
        let settings = try SandboxFiles(in: store, request.sandbox, isolation: isolation)
        let layerProgress = LayerProgress(progress)
        let snapshots = Snapshots(
            store: store, trees: trees, isolation: isolation, supply: images.supply, progress: layerProgress)
        let runner = BuildRunner(
            store: store, storage: LayerStorage(store: store), trees: trees, snapshots: snapshots,
            supply: images.supply, layerProgress: layerProgress, imports: try await imports, context: context, now: now,
            sandbox: settings.settings, loans: loans,
            copies: ContextCopies(store),
            remotes: remotes)
        let solver = GraphSolver(runner: runner, progress: progress)
        let result = try await solver.solve(plan.graph, target: plan.target)
        try await offload { [store] in
            context.saveDigests()
            runner.uses.note(in: store)
        }
        let imageID = try await export(plan, result.state, runner: runner, epoch: plan.epoch)
        try await exportCaches(plan, result.state, runner: runner)
        await review(plan, result.state, step: source.step)
        return imageID
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
    private func review(_ plan: BuildPlan, _ state: FileSystemState, step: StepReporter) async {
        let known = warnings.warnings.count
        try? await offload { [store] in try LayerReview(plan, state, layers: store.layers).report() }
        for warning in warnings.warnings.dropFirst(known) { step.warn(warning.summary) }
    }

    // MARK: Input

    struct Definition {
        let dockerfile: Dockerfile
        let source: DockerfileSource
        let path: FilePath
        let name: String
        let step: StepReporter
    }

    /// Reads and parses the Dockerfile; `source` gets its text even if it cannot be parsed.
    func loadDefinition(_ source: (DockerfileSource) -> Void = { _ in }) async throws -> Definition {
        try request.requireContext()
        let path = try request.dockerfilePath()
        let name = request.dockerfile == nil ? (path.lastComponent?.string ?? path.string) : path.string
        let step = progress.begin("[internal] load build definition from \(path.lastComponent?.string ?? "Dockerfile")")
        do {
            let bytes = try await offload { try OwnedDescriptor.open(path).readAll(limit: 64 << 20) }
            step.status("transferring dockerfile:", current: Int64(bytes.count), isComplete: true)
            let text = DockerfileSource(name: name, bytes: bytes)
            source(text)
            let dockerfile = try parse(bytes, name: name)
            step.finish(.done)
            return Definition(dockerfile: dockerfile, source: text, path: path, name: name, step: step)
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

    func loadIgnoreRules(dockerfile: FilePath) async throws -> IgnoreRules {
        try await progress.step("[internal] load .dockerignore") { step in
            let file = try await offload { [context = request.context] in
                try IgnoreFile(dockerfile: dockerfile, context: context)
            }
            // BuildKit shows two bytes for a file that is not there.
            step.status("transferring context:", current: Int64(file.path == nil ? 2 : file.size), isComplete: true)
            return file.rules
        }
    }

    // MARK: Output

    private func export(
        _ plan: BuildPlan, _ state: FileSystemState, runner: BuildRunner, epoch: Int64?
    ) async throws -> Digest? {
        if request.outputs.contains(.none) { return nil }
        var imageID: Digest?
        let keepsImage = request.outputs.isEmpty || request.outputs.contains { $0.isImage }
        if keepsImage {
            imageID = try await progress.step("exporting to image") { step in
                try await saveImage(plan, state, runner: runner, step: step)
            }
        }
        for output in request.outputs {
            try await OutputWriter(
                store: store, images: images, runner: runner, progress: progress, epoch: epoch
            ).write(
                output, state: state, imageID: imageID, tags: request.tags)
        }
        return imageID
    }

    private func saveImage(
        _ plan: BuildPlan, _ state: FileSystemState, runner: BuildRunner, step: StepReporter
    ) async throws -> Digest {
        step.status("exporting layers")
        let config = try ImageAssembly.config(plan, state)
        let references = request.tags
        let annotations = try await self.annotations(plan, state, runner: runner)
        let id = try await offload { [store] in
            let id = try store.content.save(config.encoded)
            let size = try state.diffIDs.reduce(Int64(0)) { try $0 + store.layers.approximateSize($1) }
            _ = try store.images.save(
                StoredImage(
                    id: id, platform: config.platform, created: config.created, diffIDs: config.diffIDs, size: size,
                    annotations: annotations),
                as: references)
            return id
        }
        step.status("exporting layers", isComplete: true)
        step.status("writing image \(id)", isComplete: true)
        for reference in references { step.status("naming to \(reference)", isComplete: true) }
        return id
    }
}

extension BuildOptions {
    func named(_ name: String) -> BuildOptions {
        var options = self
        options.fileName = name
        return options
    }
}
