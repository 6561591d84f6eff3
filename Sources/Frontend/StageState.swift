import DockerfileSyntax
import Graph
import OCI

/// A stage while its instructions are worked through.
struct StageState: Sendable {
    /// The name in messages.
    let name: String
    let ignoresCache: Bool
    /// The platform of the stage: that of its base.
    let platform: Platform
    /// Numbers the steps.
    var label: StepLabel

    var config: ImageConfig
    /// The file system so far.
    var vertex: VertexID
    /// The variables for expansion and for RUN: ENV and ARG.
    var environment = Environment()
    /// The variables of the image's config: those of the base and of ENV.
    var configured = Environment()
    /// The ARGs declared so far, also in parent stages, in order; names may repeat.
    var arguments: [(name: String, value: String?)] = []
    /// The history entries of this file since the base image.
    var steps: [PlannedHistory] = []
    /// Whether this file has set the working directory, and no longer the base image alone.
    var hasWorkdir = false

    /// The last of its kind in this very stage.
    var lastCommand: Instruction?
    var lastEntrypoint: Instruction?
    var lastHealthcheck: Instruction?

    init(
        name: String, label: StepLabel, ignoresCache: Bool, platform: Platform, config: ImageConfig, vertex: VertexID
    ) {
        self.name = name
        self.platform = platform
        self.label = label
        self.ignoresCache = ignoresCache
        self.config = config
        self.vertex = vertex
    }

    /// Takes over what a parent stage has beyond its config.
    mutating func inherit(from parent: StageState) {
        environment = parent.environment
        arguments = parent.arguments
        steps = parent.steps
        hasWorkdir = parent.hasWorkdir
    }

    /// Applies the config of the base to the environment; images always get a search path.
    mutating func applyConfig() {
        configured = Environment(config.config.environment)
        if configured["PATH"] == nil { configured.set("PATH", to: Environment.defaultPath) }
        for (name, value) in configured.entries { environment.set(name, to: value) }
    }

    /// Completes the config when the last instruction of the stage is through.
    mutating func finish() { config.config.environment = configured.list }

    /// The directory from which relative paths start.
    var workingDirectory: String { ContainerPath.clean(config.config.workingDirectory) }

    var declaredArguments: [String] { arguments.map(\.name) }

    /// Adds a history entry without a layer.
    mutating func record(_ text: String) {
        steps.append(PlannedHistory(createdBy: text, vertex: nil))
    }

    /// Makes `vertex` the file system and adds the history entry of its layer.
    mutating func record(_ text: String, layer vertex: VertexID) {
        self.vertex = vertex
        steps.append(PlannedHistory(createdBy: text, vertex: vertex))
    }
}

/// Names the steps of a stage for progress.
struct StepLabel: Sendable {
    /// The name of the stage, empty where there is only one.
    let prefix: String
    /// The number of steps progress will show for the stage.
    let total: Int
    /// The platform of the stage where labels name it.
    let platform: Platform?
    private var index = 0

    init(prefix: String, total: Int, platform: Platform?) {
        self.prefix = prefix
        self.total = total
        self.platform = platform
    }

    /// `[stage i/n] text` for the next step; the numbers line up. In a build for several platforms the platform stands
    /// first, e.g. `[linux/arm64 stage i/n]`, and behind it the one that a compiler makes programs for, as in
    /// `linux/amd64->arm64`: `environment` names it.
    mutating func next(_ text: String, environment: Environment = Environment()) -> String {
        index += 1
        let total = String(total)
        let number = String(index)
        let padding = String(repeating: " ", count: max(0, total.count - number.count))
        let machine = platform.map { "\($0)\(Self.suffix(environment, on: $0)) " } ?? ""
        return "[\(machine)\(prefix.isEmpty ? "" : prefix + " ")\(padding)\(number)/\(total)] \(text)"
    }

    private static func suffix(_ environment: Environment, on base: Platform) -> String {
        guard let target = target(environment, on: base) else { return "" }
        if target.os != base.os { return "->\(target)" }
        guard target.architecture != base.architecture else { return "" }
        return "->\(target.architecture)" + (target.variant.isEmpty ? "" : "/\(target.variant)")
    }

    /// The platform that the variables of a cross-compiling stage name; `nil` where the stage has none of them.
    private static func target(_ environment: Environment, on base: Platform) -> Platform? {
        if let whole = environment["TARGETPLATFORM"], let platform = try? Platform(parsing: whole) { return platform }
        let (os, architecture) = (environment["TARGETOS"], environment["TARGETARCH"])
        guard os != nil || architecture != nil else { return nil }
        return Platform(
            os: os ?? base.os, architecture: architecture ?? base.architecture,
            variant: environment["TARGETVARIANT"] ?? "")
    }
}
