import Diagnostics
package import DockerfileSyntax
package import Graph

/// The origin of the moment that stands for the time of a build (`SOURCE_DATE_EPOCH`).
package enum EpochSource: Hashable, Sendable {
    /// The build's own time counts.
    case none
    /// Seconds since 1970.
    case seconds(Int64)
    /// The build context's.
    case context
    /// The context's with this name.
    case namedContext(String)
    /// The time of the source that a stage only fetches; `label` is the step in progress.
    case file(HTTPSource, label: String)
    case repository(GitSource, label: String)

    /// Reads the build argument, or the default that the Dockerfile has for it.
    ///
    /// A file that cannot be built has no other time: the build tells why, with the warnings beside it.
    ///
    /// - Throws: ``FrontendError`` in BuildKit's words for what names no time.
    package init(_ dockerfile: Dockerfile, _ options: BuildOptions) throws {
        let lowering = try? Lowering(dockerfile, options, WarningLog())
        guard let text = options.buildArgument(Self.name) ?? lowering?.globalValue(Self.name), !text.isEmpty else {
            self = .none
            return
        }
        if let seconds = Int64(text) {
            // An image names years up to 9999.
            guard (0...253_402_300_799).contains(seconds) else { throw Self.invalid(text) }
            self = .seconds(seconds)
        } else if text == "context" {
            self = .context
        } else if let context = options.contexts.name(text) {
            self = .namedContext(context)
        } else if let lowering, let index = lowering.table.index(ofStage: text) {
            self = try Self.fetched(by: index, lowering)
        } else if lowering == nil {
            self = .none
        } else {
            throw Self.invalid(text)
        }
    }

    /// Whether nothing has to be looked at for it.
    package var isKnown: Bool {
        switch self {
        case .none, .seconds: true
        case .context, .namedContext, .file, .repository: false
        }
    }

    package static let name = "SOURCE_DATE_EPOCH"

    static func invalid(_ text: String) -> FrontendError {
        FrontendError(
            .invalid, "invalid SOURCE_DATE_EPOCH: \(text)",
            hint: "Give seconds since 1970-01-01, 'context', or the name of a context, or of a stage that is one ADD.")
    }

    /// The source that a stage fetches: the stage consists of one ADD, and ARGs for it.
    private static func fetched(by index: Int, _ lowering: Lowering) throws -> EpochSource {
        var lowering = lowering
        let entry = lowering.table.entries[index]
        func failure(_ message: String, at instruction: Instruction) -> FrontendError {
            FrontendError(
                .invalid, "\(name) stage \(message)",
                hint: "A stage that gives the time is FROM scratch, ARGs, and one ADD of a URL or a Git repository.",
                at: lowering.location(of: instruction))
        }
        guard entry.base == .scratch else { throw failure("must use FROM scratch", at: entry.stage.from) }
        let others = entry.stage.instructions.filter { if case .arg = $0.kind { false } else { true } }
        let isAlone = others.count == 1
        guard isAlone, case .add? = others.first?.kind else {
            throw failure("must contain exactly one remote ADD", at: others.dropFirst().first ?? entry.stage.from)
        }
        try lowering.lower(stage: index, triggers: [])
        var sources: [EpochSource] = []
        for vertex in lowering.graph.vertices {
            switch vertex.operation {
            case .http(let source): sources.append(.file(source, label: vertex.label))
            case .git(let source): sources.append(.repository(source, label: vertex.label))
            case .context: throw failure("must contain exactly one remote ADD", at: others[0])
            default: break
            }
        }
        guard sources.count == 1 else { throw failure("must contain exactly one remote ADD", at: others[0]) }
        return sources[0]
    }
}
