import Graph
import Testing

@testable import Engine

@Suite struct UnpackedVertexTests {
    /// The vertices of a graph that are unpacked, by their labels. `add` gets an operation, inputs and a label.
    private func unpacked(_ build: ((Graph.Operation, [VertexID], String) -> VertexID) -> Void) -> Set<String> {
        var graph = BuildGraph()
        build { graph.add($0, inputs: $1, label: $2) }
        let found = BuildRunner.unpacked(among: graph.vertices)
        return Set(graph.vertices.filter { found.contains($0.id) }.map(\.label))
    }

    private static let copy = Graph.Operation.copy(CopyOperation(sources: [], destination: "/"))
    private static let run = Graph.Operation.run(RunOperation(arguments: ["true"], environment: []))

    @Test("All that a command has below it is unpacked, and nothing above it")
    func commands() {
        let found = unpacked { add in
            let base = add(.scratch, [], "base")
            let first = add(Self.copy, [base], "first")
            let directory = add(.makeDirectory(MakeDirectoryOperation(path: "/d", owner: "")), [first], "directory")
            let run = add(Self.run, [directory], "run")
            _ = add(Self.copy, [run], "last")
        }
        #expect(found == ["base", "first", "directory"])
    }

    @Test("A stage that files are copied from is unpacked, and not what they are copied onto")
    func stages() {
        let found = unpacked { add in
            let stage = add(Self.copy, [add(.scratch, [], "base")], "stage")
            let target = add(Self.copy, [add(.scratch, [], "other")], "target")
            _ = add(Self.copy, [target, stage], "last")
        }
        #expect(found == ["stage", "base"])
    }

    @Test("Copies alone unpack nothing")
    func copies() {
        let found = unpacked { add in _ = add(Self.copy, [add(Self.copy, [add(.scratch, [], "base")], "a")], "b") }
        #expect(found.isEmpty)
    }
}
