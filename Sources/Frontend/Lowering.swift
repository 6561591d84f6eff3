import Diagnostics
import DockerfileSyntax
import GoCompat
import Graph
import OCI

/// Lowers stages one after the other, with everything they depend on given before.
struct Lowering: Sendable {
    let options: BuildOptions
    let table: StageTable
    let expander: WordExpander
    private let scope: GlobalScope
    /// Variables that RUN gets in its environment and not in its key.
    let proxies: [(name: String, value: String)]

    var linter: Linter
    /// The images asked for by ``imageRequests(of:)-(Int)``.
    var images: [ImageKey: ResolvedBase] = [:]
    var graph = BuildGraph()
    /// The stages lowered so far.
    private(set) var states: [Int: StageState] = [:]
    private var sharedVertices: [Operation: VertexID] = [:]

    init(_ dockerfile: Dockerfile, _ options: BuildOptions, _ log: WarningLog) throws {
        self.options = options
        proxies = Self.proxies(in: options)
        try FrontendImage.check(dockerfile, options)
        try BuiltInArguments.check(options)
        expander = WordExpander(escape: dockerfile.escape)
        linter = Linter(
            file: options.fileName, configuration: try Self.checks(dockerfile, options), log: log,
            givesAdvice: options.givesAdvice)
        linter.note(dockerfile)
        linter.checkFile(dockerfile)
        Self.checkDefaults(dockerfile, options, expander, linter)
        scope = try GlobalScope(
            dockerfile, options, expander: expander, platforms: options.buildArgument,
            buildArgument: options.buildArgument)
        table = try StageTable(
            dockerfile, options, scope: scope, expander: expander, linter: &linter)
    }

    /// The configuration of the checks: the build argument, else the directive at the top of the file.
    static func checks(_ dockerfile: Dockerfile, _ options: BuildOptions) throws -> LintConfiguration {
        if let text = options.buildArgument("BUILDKIT_DOCKERFILE_CHECK") { return try LintConfiguration(parsing: text) }
        guard let directive = dockerfile.directives.first(where: { $0.name == .check }) else {
            return LintConfiguration()
        }
        // A blank ends the value, so that a reason can stand behind it.
        let value = directive.value.prefix { $0 != " " }
        do { return try LintConfiguration(parsing: String(value)) } catch let error as FrontendError {
            throw error.located(
                at: Diagnostics.SourceRange(file: options.fileName, lines: directive.line...directive.line))
        }
    }

    /// Reports bases that would have no sensible name if no build arguments were given.
    ///
    /// A default that cannot be expanded ends the check: the build may well replace it.
    private static func checkDefaults(
        _ dockerfile: Dockerfile, _ options: BuildOptions, _ expander: WordExpander, _ linter: Linter
    ) {
        guard
            let scope = try? GlobalScope(
                dockerfile, options, expander: expander, platforms: options.buildArgument, buildArgument: { _ in nil })
        else { return }
        for stage in dockerfile.stages {
            guard let base = try? expander.expand(stage.base, environment: { scope.environment[$0] }) else { return }
            linter.checkDefault(base: base.text, of: stage)
        }
    }

    func location(of instruction: Instruction) -> Diagnostics.SourceRange {
        Diagnostics.SourceRange(file: options.fileName, lines: instruction.range.lines)
    }

    /// The value a global ARG or an automatic variable has outside the stages.
    func globalValue(_ name: String) -> String? { scope.environment[name] }

    /// The plan for a stage that has been lowered.
    func plan(target: Int) throws -> BuildPlan {
        guard let state = states[target] else { preconditionFailure("the target is lowered") }
        var config = state.config
        for label in options.labels { config.config.labels[label.name] = label.value }
        if options.isPlatformExplicit { config.platform = options.platform }
        config = options.changes.applied(toTarget: config)
        return BuildPlan(
            graph: graph, target: state.vertex,
            unusedStages: options.buildsUnusedStages ? (0..<target).compactMap { states[$0]?.vertex } : [],
            config: config, steps: state.steps, warnings: linter.warnings,
            targetName: table.entries[target].stage.name ?? "", epoch: try scope.epoch(options),
            layerChecks: LayerChecks(linter: linter))
    }

    // MARK: Images

    /// The images a stage starts from and copies from.
    func imageRequests(of index: Int) throws -> [ImageRequest] {
        let entry = table.entries[index]
        let base = try baseRequest(of: index)
        let others = try entry.dependencies.compactMap { try imageRequest($0.source, options.platform, $0.instruction) }
        return (base.map { [$0] } ?? []) + others
    }

    /// The image a stage starts from; `nil` if it starts from another stage or from nothing.
    func baseRequest(of index: Int) throws -> ImageRequest? {
        let entry = table.entries[index]
        return try imageRequest(entry.base, entry.platform ?? options.platform, entry.stage.from)
    }

    /// The images that triggers copy from.
    func imageRequests(of triggers: [Instruction]) throws -> [ImageRequest] {
        try triggers.flatMap { trigger in
            try table.sources(of: trigger).compactMap { try imageRequest($0, options.platform, trigger) }
        }
    }

    private func imageRequest(
        _ source: StageSource, _ platform: Platform, _ instruction: Instruction
    ) throws -> ImageRequest? {
        let location = location(of: instruction)
        return try locating(instruction, in: options.fileName) {
            try Self.key(source, platform).map { ImageRequest(key: $0, location: location) }
        }
    }

    /// `nil` for what is no image.
    private static func key(_ source: StageSource, _ platform: Platform) throws -> ImageKey? {
        switch source {
        case .scratch, .stage, .context: nil
        case .image(let name): ImageKey(name: .reference(try imageName(name)), platform: platform)
        case .layout(let context): ImageKey(name: .layout(context), platform: platform)
        }
    }

    private static func imageName(_ name: String) throws -> ImageName {
        do { return try ImageName(parsing: name) } catch {
            throw FrontendError(
                .invalid, "failed to parse stage name \(GoFormat.quoted(name)): \(error.message)", hint: error.hint,
                cause: error)
        }
    }

    func image(_ source: StageSource, for platform: Platform) throws -> ResolvedBase {
        guard let key = try Self.key(source, platform), let image = images[key] else {
            preconditionFailure("images are resolved before they are used")
        }
        return image
    }

    // MARK: Stages

    /// The ONBUILD instructions that the base of a stage brings along, parsed.
    func triggers(of index: Int) throws -> [Instruction] {
        let entry = table.entries[index]
        let texts: [String]
        switch entry.base {
        case .scratch, .context: texts = []
        case .stage(let parent): texts = states[parent]?.config.config.onBuild ?? []
        case .image, .layout:
            texts = try image(entry.base, for: entry.platform ?? options.platform).config.config.onBuild
        }
        return try texts.map { text in
            try locating(entry.stage.from, in: options.fileName) {
                try Instruction.parseTrigger(text, at: entry.stage.from.range)
            }
        }
    }

    mutating func lower(stage index: Int, triggers: [Instruction]) throws {
        let entry = table.entries[index]
        let steps = (triggers + entry.instructions).count { Self.isStep($0.kind) }
        var state = try begin(entry, steps: steps)
        for trigger in triggers { try apply(Step(trigger, isTrigger: true), to: &state) }
        for instruction in entry.instructions { try apply(Step(instruction), to: &state) }
        state.finish()
        states[index] = state
    }

    private static func isStep(_ kind: Instruction.Kind) -> Bool {
        switch kind {
        case .run, .copy, .add, .workdir: true
        default: false
        }
    }

    private mutating func begin(_ entry: StageEntry, steps: Int) throws -> StageState {
        var state: StageState
        switch entry.base {
        case .scratch:
            let config = ImageConfig(platform: options.platform)
            state = newState(
                entry, options.platform, config, shared(.scratch, label: "FROM scratch"), steps: steps)
            state.config.config.workingDirectory = "/"
        case .stage(let index):
            guard let parent = states[index] else { preconditionFailure("a parent stage is lowered before its child") }
            state = newState(entry, parent.platform, parent.config, parent.vertex, steps: steps)
            state.inherit(from: parent)
        case .image, .layout: state = try begin(entry, onImage: entry.base, steps: steps)
        case .context(let name): state = begin(entry, onContext: name, steps: steps)
        }
        state.config.config.onBuild = []
        state.applyConfig()
        return state
    }

    private mutating func begin(_ entry: StageEntry, onImage source: StageSource, steps: Int) throws -> StageState {
        let platform = entry.platform ?? options.platform
        let image = try image(source, for: platform)
        if case .image(let name) = source {
            linter.checkPlatform(image.config.platform, expected: platform, image: name, of: entry.stage)
        }
        // An image without layers is a config and nothing else: there is nothing to fetch.
        let isEmpty = image.config.diffIDs.isEmpty && image.config.history.allSatisfy(\.emptyLayer)
        let operation = isEmpty ? Operation.scratch : .image(image.source)
        var label = newLabel(entry, platform, steps: steps + 1)
        let vertex = graph.add(
            operation, inputs: [], label: isEmpty ? "FROM scratch" : label.next("FROM \(image.source.reference)"),
            location: location(of: entry.stage.from), platform: platform)
        var state = newState(
            entry, platform, options.changes.applied(toBase: image.config.asBase()), vertex, steps: steps + 1)
        state.label = label
        return state
    }

    /// The files of a context as a root file system.
    private mutating func begin(_ entry: StageEntry, onContext name: String, steps: Int) -> StageState {
        let scratch = shared(.scratch, label: "FROM scratch")
        let files = contextVertex(named: name)
        var label = newLabel(entry, options.platform, steps: steps + 1)
        let text = "[context \(name)] load from client"
        let vertex = graph.add(
            .copy(CopyOperation(sources: [.path(files.root, input: 1)], destination: "/")),
            inputs: [scratch, files.vertex], label: label.next("FROM \(name)"),
            location: location(of: entry.stage.from), platform: options.platform)
        var state = newState(
            entry, options.platform, ImageConfig(platform: options.platform), vertex, steps: steps + 1)
        state.config.config.workingDirectory = "/"
        state.label = label
        state.record(text, layer: vertex)
        return state
    }

    private func newState(
        _ entry: StageEntry, _ platform: Platform, _ config: ImageConfig, _ vertex: VertexID, steps: Int
    ) -> StageState {
        StageState(
            name: entry.displayName, label: newLabel(entry, platform, steps: steps),
            ignoresCache: options.noCache.covers(stage: entry.stage.name), platform: platform, config: config,
            vertex: vertex)
    }

    private func newLabel(_ entry: StageEntry, _ platform: Platform, steps: Int) -> StepLabel {
        StepLabel(
            prefix: labelPrefix(of: entry), total: steps, platform: options.labelsNamePlatforms ? platform : nil)
    }

    /// A file with a single stage and nothing else to tell apart needs no names.
    private func labelPrefix(of entry: StageEntry) -> String {
        let isAlone = table.entries.count == 1 && entry.dependencies.allSatisfy { $0.source.isStage }
        return isAlone ? "" : entry.displayName
    }

    /// The vertex of something that has no inputs and may have several users.
    mutating func shared(
        _ operation: Operation, label: String, location: Diagnostics.SourceRange? = nil
    ) -> VertexID {
        if let known = sharedVertices[operation] { return known }
        let id = graph.add(operation, inputs: [], label: label, location: location)
        sharedVertices[operation] = id
        return id
    }

    /// The files of the build context.
    mutating func contextVertex() -> VertexID {
        shared(.context(.main), label: "[internal] load build context")
    }

    /// The source of a named context's files, and the pattern for all of them.
    mutating func contextVertex(named name: String) -> (vertex: VertexID, root: String) {
        if case .file(let source)? = options.contexts.content(name)?.content {
            return (
                shared(.http(source), label: "[context \(name)] \(RemoteFlags.redacted(source.url))"),
                source.fileName.escapedPattern
            )
        }
        return (shared(.context(ContextSource(name: name)), label: "[context \(name)] load from client"), "/")
    }

    /// The files that `--from` of `instruction` names.
    mutating func vertex(
        of source: StageSource, for instruction: Instruction, in state: StageState
    ) throws -> VertexID {
        switch source {
        case .scratch: return shared(.scratch, label: "FROM scratch")
        case .context(let name): return contextVertex(named: name).vertex
        case .image, .layout:
            let image = try image(source, for: options.platform)
            return shared(
                .image(image.source), label: "FROM \(image.source.reference)", location: location(of: instruction))
        case .stage(let index):
            if let vertex = states[index]?.vertex { return vertex }
            let name = table.entries[index].displayName
            throw FrontendError(
                .unknownStage,
                "cannot copy from stage \"\(name)\", it needs to be defined before current stage \"\(state.name)\"",
                hint: "Move the stage \"\(name)\" up.")
        }
    }
}

extension StageSource {
    fileprivate var isStage: Bool {
        if case .stage = self { true } else { false }
    }
}
