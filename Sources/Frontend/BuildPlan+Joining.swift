import Graph

extension [BuildPlan] {
    /// The same plans, one for each platform, with one graph for all of them: steps that are equal are there once.
    package var joined: [BuildPlan] {
        var joined = JoinedGraph()
        let places = map { joined.add($0.graph) }
        return zip(self, places).map { plan, places in plan.moved(to: joined.graph) { places[$0.index] } }
    }
}

extension BuildPlan {
    /// The same plan in a graph where its vertices are elsewhere.
    fileprivate func moved(to graph: BuildGraph, _ place: (VertexID) -> VertexID) -> BuildPlan {
        BuildPlan(
            graph: graph, target: place(target), unusedStages: unusedStages.map(place), config: config,
            steps: steps.map { PlannedHistory(createdBy: $0.createdBy, vertex: $0.vertex.map(place)) },
            warnings: warnings, targetName: targetName, epoch: epoch, layerChecks: layerChecks)
    }
}
