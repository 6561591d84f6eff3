/// Numbers that are the same in every run for the same seed.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 29)) &* 0xBF58_476D_1CE4_E5B9
    }

    mutating func text(of pieces: [[UInt8]], upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &self)).flatMap { _ in
            pieces.randomElement(using: &self) ?? []
        }
    }
}

/// Makes new inputs out of known ones by small damage.
struct Mutator {
    let corpus: [[UInt8]]

    /// Bytes that matter to the grammar.
    let pieces: [[UInt8]]

    /// An input with one to four changes.
    func mutant(using random: inout Random) -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &random) { change(&bytes, using: &random) }
        return bytes
    }

    private func change(_ bytes: inout [UInt8], using random: inout Random) {
        let start = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 0...6, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.removeSubrange(start..<end)
        case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 2:
            // The tail of another input, from one of its lines on.
            let other = corpus.randomElement(using: &random) ?? []
            let lines = other.indices.filter { other[$0] == 0x0A }
            bytes += other[(lines.randomElement(using: &random) ?? other.startIndex)...]
        default: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: start)
        }
    }
}
