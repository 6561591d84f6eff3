package import Diagnostics

/// The steps of a build. Acyclic by construction: a vertex can only name inputs that were added before it.
package struct BuildGraph: Sendable {
    package private(set) var vertices: [Vertex] = []

    package init() {}

    package subscript(id: VertexID) -> Vertex { vertices[id.index] }

    /// Adds a vertex whose inputs are in the graph already, and returns its place.
    package mutating func add(
        _ operation: Operation, inputs: [VertexID], label: String, location: SourceRange? = nil,
        ignoresCache: Bool = false
    ) -> VertexID {
        let id = VertexID(index: vertices.count)
        precondition(inputs.allSatisfy { $0.index < id.index }, "an input must be added before its user")
        vertices.append(
            Vertex(
                id: id, operation: operation, inputs: inputs, label: label, location: location,
                ignoresCache: ignoresCache))
        return id
    }

    /// The vertices that `target` needs, itself included, inputs first.
    package func reachable(from target: VertexID) -> [Vertex] {
        var needed = [Bool](repeating: false, count: vertices.count)
        needed[target.index] = true
        for index in stride(from: target.index, through: 0, by: -1) where needed[index] {
            for input in vertices[index].inputs { needed[input.index] = true }
        }
        return vertices.filter { needed[$0.id.index] }
    }
}
