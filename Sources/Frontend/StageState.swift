import DockerfileSyntax
import Graph
import OCI

/// A stage while its instructions are worked through.
struct StageState: Sendable {
    /// The name in messages.
    let name: String
    let ignoresCache: Bool
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

    init(name: String, label: StepLabel, ignoresCache: Bool, config: ImageConfig, vertex: VertexID) {
        self.name = name
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

    /// Where relative paths start.
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
    private var index = 0

    init(prefix: String, total: Int) {
        self.prefix = prefix
        self.total = total
    }

    /// `[stage i/n] text` for the next step; the numbers line up.
    mutating func next(_ text: String) -> String {
        index += 1
        let total = String(total)
        let number = String(index)
        let padding = String(repeating: " ", count: max(0, total.count - number.count))
        return "[\(prefix.isEmpty ? "" : prefix + " ")\(padding)\(number)/\(total)] \(text)"
    }
}
