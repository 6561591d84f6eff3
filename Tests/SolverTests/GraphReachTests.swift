import Graph
import Testing

@Suite struct GraphReachTests {
    private func graph(_ inputs: [[Int]]) -> BuildGraph {
        var graph = BuildGraph()
        for (number, inputs) in inputs.enumerated() {
            _ = graph.add(.scratch, inputs: inputs.map { graph.vertices[$0].id }, label: "\(number)")
        }
        return graph
    }

    @Test("What was found before is not found again, but for the target itself")
    func besides() {
        let graph = graph([[], [0], [0], [1, 2], [2], [3, 4]])
        var known: Set<VertexID> = []
        func reach(_ target: Int) -> [String] {
            graph.reachable(from: graph.vertices[target].id, besides: &known).map(\.label)
        }
        #expect(reach(3) == ["0", "1", "2", "3"])
        #expect(reach(2) == ["2"])
        #expect(reach(5) == ["4", "5"])
        #expect(reach(5) == ["5"])
        #expect(known.count == 6)
    }
}
