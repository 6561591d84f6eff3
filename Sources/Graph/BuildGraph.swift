package import Diagnostics
package import OCI

/// The steps of a build. Acyclic by construction: a vertex can only name inputs that were added before it.
package struct BuildGraph: Sendable {
    package private(set) var vertices: [Vertex] = []

    package init() {}

    package subscript(id: VertexID) -> Vertex { vertices[id.index] }

    /// Adds a vertex whose inputs are in the graph already, and returns its place.
    package mutating func add(
        _ operation: Operation, inputs: [VertexID], label: String, location: SourceRange? = nil,
        ignoresCache: Bool = false, platform: Platform? = nil
    ) -> VertexID {
        let id = VertexID(index: vertices.count)
        precondition(inputs.allSatisfy { $0.index < id.index }, "an input must be added before its user")
        vertices.append(
            Vertex(
                id: id, operation: operation, inputs: inputs, label: label, location: location,
                ignoresCache: ignoresCache, platform: platform))
        return id
    }

    /// The vertices that `target` needs, itself included, inputs first.
    package func reachable(from target: VertexID) -> [Vertex] { reachable(from: [target]) }

    /// The vertices that any of `targets` needs, themselves included, inputs first.
    package func reachable(from targets: [VertexID]) -> [Vertex] {
        var needed = [Bool](repeating: false, count: vertices.count)
        for target in targets { needed[target.index] = true }
        for index in vertices.indices.reversed() where needed[index] {
            for input in vertices[index].inputs { needed[input.index] = true }
        }
        return vertices.filter { needed[$0.id.index] }
    }

    /// The vertices that `target` needs, itself included, inputs first, but those in `known` and all that these need.
    ///
    /// They are added to `known`, so that all calls together visit each vertex and each of its inputs once.
    package func reachable(from target: VertexID, besides known: inout Set<VertexID>) -> [Vertex] {
        known.insert(target)
        var found = [target]
        var open = [target]
        while let id = open.popLast() {
            for input in self[id].inputs where known.insert(input).inserted {
                found.append(input)
                open.append(input)
            }
        }
        return found.sorted { $0.index < $1.index }.map { self[$0] }
    }
}
