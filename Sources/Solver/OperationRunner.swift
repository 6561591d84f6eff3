import Diagnostics
package import Graph

/// The solver's view of operations: their keys, their known results, and how to run them.
package protocol OperationRunner: Sendable {
    /// Names a result by what it was made from.
    associatedtype Key: Hashable, Sendable
    associatedtype Result: Sendable

    /// The key of a vertex by its definition and the keys of its inputs; no input needs to be run for it.
    func definitionKey(of vertex: Vertex, inputs: [Key]) async throws -> Key

    /// The key of a vertex by the content of its inputs: it hits where an input was made anew and came out the same.
    func contentKey(of vertex: Vertex, inputs: [Result]) async throws -> Key

    /// The result recorded under a key, if it is still there.
    func cached(_ key: Key, for vertex: Vertex) async throws -> Result?

    /// Records a result under its keys.
    func save(_ result: Result, under keys: [Key], for vertex: Vertex) async throws

    /// Runs the operation. Cancellation of the task must end it soon.
    func run(_ vertex: Vertex, inputs: [Result], step: StepReporter) async throws -> Result

    /// Asks that no other build runs what has this content key, as long as the claim is held.
    func claim(_ content: Key, for vertex: Vertex) async throws -> StepClaim

    /// Whether the step computes in this process, rather than waiting for a command or for the network.
    func isComputing(_ vertex: Vertex) -> Bool

    /// Whether progress shows the vertex: scratch and contexts, for instance, are nothing to wait for.
    func isVisible(_ vertex: Vertex) -> Bool
}

/// The answer to one who wants to run a step alone.
package enum StepClaim: Sendable {
    /// The step is this build's while the object is held; without an object no claim was needed.
    case granted((any AnyObject & Sendable)?)
    /// Another build runs it now.
    case busy
}

/// The message of an error as users see it.
package func describe(_ error: any Error) -> String {
    (error as? any AnyFailure)?.message ?? String(describing: error)
}
