import OCI

/// The graphs of one build for several platforms, put together into one graph.
///
/// Vertices of different graphs that do the same for the same platform are one vertex: the contexts, and the stages that
/// run on the build's own platform whatever the target is. Equal vertices of one graph stay apart.
package struct JoinedGraph: Sendable {
    package private(set) var graph = BuildGraph()
    /// The vertices of each identity, in the order of the graph that has most of them.
    private var places: [Identity: [VertexID]] = [:]

    /// The facts that make a vertex another one. Its label is none of them: progress shows that of the first.
    private struct Identity: Hashable {
        let operation: Operation
        let inputs: [VertexID]
        let ignoresCache: Bool
        let platform: Platform?
    }

    package init() {}

    /// Adds a graph, and returns the place of each of its vertices in the joined graph.
    package mutating func add(_ other: BuildGraph) -> [VertexID] {
        var moved: [VertexID] = []
        var counts: [Identity: Int] = [:]
        for vertex in other.vertices {
            let identity = Identity(
                operation: vertex.operation, inputs: vertex.inputs.map { moved[$0.index] },
                ignoresCache: vertex.ignoresCache, platform: vertex.platform)
            let (number, known) = (counts[identity, default: 0], places[identity, default: []])
            counts[identity] = number + 1
            if number < known.count {
                moved.append(known[number])
                continue
            }
            let place = graph.add(
                vertex.operation, inputs: identity.inputs, label: vertex.label, location: vertex.location,
                ignoresCache: vertex.ignoresCache, platform: vertex.platform)
            places[identity] = known + [place]
            moved.append(place)
        }
        return moved
    }
}
