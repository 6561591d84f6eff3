/// A fact about a vertex found while a graph is solved. Builds are recorded and explained from these.
///
/// The receiver notes the time. Of a vertex that was not needed at first, and then was, the last outcome counts.
package enum VertexNote<Key: Sendable, Result: Sendable>: Sendable {
    /// Its key by its definition.
    case defined(Key)
    /// Its key by the content of its inputs; it is looked for only when the definition was not known.
    case resolved(Key)
    /// Progress shows it as this step.
    case shown(StepID)
    /// It must run and waits for its turn.
    case waiting
    case began
    case ended(VertexOutcome<Result>)
}

/// How the solver was done with a vertex.
package enum VertexOutcome<Result: Sendable>: Sendable {
    /// Its result was known under its definition.
    case knownByDefinition(Result)
    /// Its definition was new, and its result was known under the content of its inputs.
    case knownByContent(Result)
    /// The result of a step that follows was known.
    case notNeeded
    case ran(Result)
    case failed(StepFailure)
    /// Another step failed, or the user gave up.
    case cancelled

    /// The end of a vertex that threw `error`.
    package init(_ error: any Error) {
        self = error is CancellationError ? .cancelled : .failed(StepFailure(error))
    }
}

extension VertexNote {
    /// The same note with another value in place of the result.
    package func mapResult<Other: Sendable>(_ transform: (Result) -> Other) -> VertexNote<Key, Other> {
        switch self {
        case .defined(let key): .defined(key)
        case .resolved(let key): .resolved(key)
        case .shown(let id): .shown(id)
        case .waiting: .waiting
        case .began: .began
        case .ended(let outcome): .ended(outcome.mapResult(transform))
        }
    }
}

extension VertexOutcome {
    fileprivate func mapResult<Other: Sendable>(_ transform: (Result) -> Other) -> VertexOutcome<Other> {
        switch self {
        case .knownByDefinition(let result): .knownByDefinition(transform(result))
        case .knownByContent(let result): .knownByContent(transform(result))
        case .notNeeded: .notNeeded
        case .ran(let result): .ran(transform(result))
        case .failed(let failure): .failed(failure)
        case .cancelled: .cancelled
        }
    }
}
