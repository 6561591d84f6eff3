import Synchronization
import Testing

@testable import Trees

@Suite struct ContextReadingTests {
    private struct Failed: Error {}

    /// The reports of pieces that are read for keys, as `count` or, at the end, `count!`.
    private func told(_ keys: [[Int]], thenFails: Bool = false) -> [String] {
        let lines = Mutex<[String]>([])
        let reading = ContextReading(silence: 100, interval: 50) { count, isComplete in
            lines.withLock { $0.append("\(count)\(isComplete ? "!" : "")") }
        }
        reading.add(1000)
        for pieces in keys {
            try? reading.counting {
                for piece in pieces { reading.add(piece) }
                if thenFails { throw Failed() }
            }
        }
        return lines.withLock { $0 }
    }

    @Test(
        "Much that is read for keys is told, and where it ends",
        arguments: [
            ([[99]], []), ([[50, 49], [1]], ["100", "100!"]), ([[100, 49, 1, 10]], ["100", "150", "160!"]),
            ([[100], [10]], ["100", "100!", "110", "110!"]), ([[100], []], ["100", "100!"]), ([], []),
        ] as [([[Int]], [String])])
    func tellsOfMuch(_ keys: [[Int]], _ expected: [String]) {
        #expect(told(keys) == expected)
        #expect(told(keys, thenFails: true) == expected)
    }

    @Test("While one key is computed, the end of another is no end")
    func severalKeys() {
        let ends = Mutex(0)
        let reading = ContextReading(silence: 1, interval: 1) { _, isComplete in
            if isComplete { ends.withLock { $0 += 1 } }
        }
        reading.counting {
            reading.add(5)
            reading.counting { reading.add(5) }
            #expect(ends.withLock { $0 } == 0)
        }
        #expect(ends.withLock { $0 } == 1)
    }
}
