package import Diagnostics
package import OCI

/// The place of a vertex in its graph.
package struct VertexID: Hashable, Sendable {
    package let index: Int

    package init(index: Int) { self.index = index }
}

/// One step of a build: an operation and where its inputs come from.
package struct Vertex: Sendable {
    package let id: VertexID
    package let operation: Operation
    /// The inputs of the operation: its base first, then the sources it reads. Always earlier in the graph.
    package let inputs: [VertexID]
    /// The text that progress shows, e.g. `[build 2/5] RUN make`.
    package let label: String
    package let location: SourceRange?
    /// Whether the step must run even if its result is known (`--no-cache`).
    package let ignoresCache: Bool
    /// The platform of the stage that the step belongs to; `nil` for what belongs to no stage, such as a context.
    package let platform: Platform?

    package init(
        id: VertexID, operation: Operation, inputs: [VertexID], label: String, location: SourceRange? = nil,
        ignoresCache: Bool = false, platform: Platform? = nil
    ) {
        self.id = id
        self.operation = operation
        self.inputs = inputs
        self.label = label
        self.location = location
        self.ignoresCache = ignoresCache
        self.platform = platform
    }
}
