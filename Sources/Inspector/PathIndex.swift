import Linux

/// Finds the numbers of paths by their bytes.
///
/// A dictionary of ``PathBytes`` would do the same, but feed its hash function byte by byte and hash everything again
/// whenever it grows: that was most of the time of an analysis.
struct PathIndex {
    /// The number of a path or -1; a power of two of them, at most half of which are taken.
    private var slots: [Int32]
    /// By number.
    private var hashes: [UInt64] = []
    /// A random seed, so that an archive cannot hold names that all collide.
    private let seed = UInt64.random(in: 0...UInt64.max)

    init() { slots = [Int32](repeating: -1, count: 1024) }

    func hash(of path: PathBytes) -> UInt64 {
        let bytes = path.bytes.span
        var hash = seed
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x9fb2_1c65_1e98_df25 }
        hash ^= hash >> 32
        return hash &* 0x9fb2_1c65_1e98_df25
    }

    /// The number of the path among `paths`; `nil` when it has none.
    func number(of path: PathBytes, hash: UInt64, in paths: [PathBytes]) -> Int? {
        var slot = self.slot(for: hash)
        while slots[slot] >= 0 {
            let number = Int(slots[slot])
            if hashes[number] == hash, paths[number] == path { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Gives the next number to a path that has none.
    mutating func append(hash: UInt64) {
        hashes.append(hash)
        if hashes.count * 2 > slots.count {
            slots = [Int32](repeating: -1, count: slots.count * 4)
            for number in hashes.indices { fill(number) }
        } else {
            fill(hashes.count - 1)
        }
    }

    private mutating func fill(_ number: Int) {
        var slot = self.slot(for: hashes[number])
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(truncatingIfNeeded: number)
    }

    /// The upper bits are the better mixed ones.
    private func slot(for hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> 24) & (slots.count - 1)
    }
}
