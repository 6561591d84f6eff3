import OCI
import Testing

@Suite struct LayerStackTests {
    private static func layer(_ number: Int, _ seconds: Int64? = nil) -> LayerStack.Layer {
        LayerStack.Layer(
            diffID: DiffID(Digest(of: "\(number)")), created: seconds.map { Timestamp(seconds: $0) })
    }

    @Test func isTheSameHoweverItIsMade() {
        let layers = (0..<5).map { Self.layer($0, $0 < 2 ? nil : Int64($0)) }
        let whole = LayerStack(layers: layers)
        var grown = LayerStack()
        for layer in layers { grown = grown.adding(layer) }
        #expect(whole == grown)
        #expect(Set([whole, grown]).count == 1)
        #expect(whole.layers == layers)
        #expect(whole.diffIDs == layers.map(\.diffID))
        #expect(whole.count == 5)
        #expect(whole.top == layers[4])
        #expect(whole.below == LayerStack(layers: Array(layers.dropLast())))
        #expect(whole.chainID == ChainID.of(whole.diffIDs))
    }

    @Test func theEmptyOneHasNothing() {
        let empty = LayerStack()
        #expect(empty.isEmpty && empty.count == 0 && empty.layers.isEmpty)
        #expect(empty.top == nil && empty.below == nil && empty.chainID == nil)
        #expect(empty == LayerStack(layers: []))
        #expect(empty != LayerStack(ofImage: [.empty]))
    }

    @Test(arguments: [
        [layer(0), layer(1), layer(3)], [layer(1), layer(2)], [layer(0), layer(1)], [layer(0), layer(1, 5), layer(2)],
        [layer(0), layer(1), layer(2, 5)], [],
    ])
    func differsByEachLayerAndTime(_ layers: [LayerStack.Layer]) {
        #expect(LayerStack(layers: layers) != LayerStack(layers: (0..<3).map { Self.layer($0) }))
    }

    /// More than the stack of a thread has room for, if each layer released the next.
    @Test func isReleasedHoweverHighItIs() {
        var stack = LayerStack()
        for number in 0..<50_000 {
            stack = stack.adding(.init(diffID: .empty, created: Timestamp(seconds: Int64(number))))
        }
        let shared = stack.below
        #expect(stack.count == 50_000)
        stack = LayerStack()
        #expect(shared?.count == 49_999)
        #expect(shared?.layers.count == 49_999)
    }
}
