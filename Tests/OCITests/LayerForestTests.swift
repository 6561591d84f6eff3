import OCI
import Testing

@Suite struct LayerForestTests {
    private func layers(_ names: String...) -> [DiffID] { names.map { DiffID(Digest(of: $0)) } }

    @Test func stacksShareTheNodesOfTheirLowerLayers() {
        var forest = LayerForest()
        let first = forest.add(layers("a", "b", "c"))
        let second = forest.add(layers("a", "b", "d"))
        #expect(first == 2 && second == 3 && forest.nodes.count == 4)
        #expect(forest.add(layers("a", "b")) == 1)
        #expect(forest.nodes.map(\.below) == [nil, 0, 1, 1])
        #expect(forest.nodes[3].chain == ChainID.of(layers("a", "b", "d")))
    }

    @Test func stacksOfImagesAndOfRecordsAreTheSame() {
        var forest = LayerForest()
        let stack = LayerStack(layers: layers("a", "b").map { .init(diffID: $0, created: Timestamp(seconds: 5)) })
        #expect(forest.add(stack) == 1)
        #expect(forest.add(layers("a", "b")) == 1)
        #expect(forest.add(LayerStack(ofImage: layers("a", "b", "a"))) == 2)
        #expect(forest.add(layers("b")) == 3)
        #expect(ChainID.of(layers("a", "b")).flatMap { forest[$0] } == 1)
        #expect(forest.add(LayerStack()) == nil && forest.add([]) == nil)
    }

    @Test func descentEndsWhereItIsToldTo() {
        var forest = LayerForest()
        let top = forest.add(layers("a", "b", "c", "d"))
        var seen: [Int] = []
        forest.descend(from: top) { number in
            seen.append(number)
            return number != 1
        }
        #expect(seen == [3, 2, 1])
        forest.descend(from: nil) {
            seen.append($0); return true
        }
        #expect(seen.count == 3)
    }
}
