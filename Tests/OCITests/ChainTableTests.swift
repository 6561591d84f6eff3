import OCI
import Testing

@Suite struct ChainTableTests {
    @Test func `a table gives the chains that are computed one by one`() {
        let layers = (0..<12).map { DiffID(Digest(of: "layer \($0)")) }
        let table = ChainTable()
        #expect(table.chain(of: []) == nil)
        for start in 0..<3 {
            for end in start...layers.count {
                let stack = layers[start..<end]
                #expect(table.chain(of: stack) == ChainID.of(stack))
                // Twice: known now.
                #expect(table.chain(of: stack) == ChainID.of(stack))
            }
        }
    }
}
