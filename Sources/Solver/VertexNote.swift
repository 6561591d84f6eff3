/// What became known of a vertex while a graph was solved: what a build is recorded and explained from.
///
/// The receiver notes the time. Of a vertex that was not needed at first, and then was, the last outcome counts.
package enum VertexNote<Runner: OperationRunner>: Sendable {
    /// Its key by its definition.
    case defined(Runner.Key)
    /// Its key by the content of its inputs; it is looked for only when the definition was not known.
    case resolved(Runner.Key)
    /// Progress shows it as this step.
    case shown(StepID)
    /// It must run and waits for its turn.
    case waiting
    case began
    case ended(VertexOutcome<Runner>)
}

/// How the solver was done with a vertex.
package enum VertexOutcome<Runner: OperationRunner>: Sendable {
    /// Its result was known under its definition.
    case knownByDefinition(Runner.Result)
    /// Its definition was new, and its result was known under the content of its inputs.
    case knownByContent(Runner.Result)
    /// The result of a step that follows was known.
    case notNeeded
    case ran(Runner.Result)
    case failed(String)
    /// Another step failed, or the user gave up.
    case cancelled
}
