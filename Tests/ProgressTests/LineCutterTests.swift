import Testing

@testable import Progress

@Suite struct LineCutterTests {
    /// The lines of output that comes in the given pieces; a line that goes on is joined, an open one ends in `~`.
    private func lines(_ chunks: [String]) -> [String] {
        var cutter = LineCutter()
        var lines: [String] = []
        func keep(_ piece: LineCutter.Piece) {
            let text = String(decoding: piece.bytes, as: UTF8.self)
            if piece.begins { lines.append(text) } else { lines[lines.count - 1] += text }
        }
        for chunk in chunks { cutter.feed(Array(chunk.utf8), at: .zero, to: keep) }
        if !cutter.unfinished.isEmpty { lines.append(String(decoding: cutter.unfinished, as: UTF8.self) + "~") }
        return lines
    }

    @Test(
        "Output is cut into lines at the right places",
        arguments: [
            ([""], []),
            (["a\nb\n"], ["a", "b"]),
            (["a", "b", "\n"], ["ab"]),
            (["a\n\nb"], ["a", "", "b~"]),
            (["a\r\nb\r\n"], ["a", "b"]),
            (["a\r", "\nb\n"], ["a", "b"]),
            (["10%\r20%\r30%\n"], ["30%"]),
            (["10%\r", "20%"], ["20%~"]),
            (["10%\r"], ["10%~"]),
            (["x\r\r\n"], ["x"]),
            (["\r\n"], [""]),
        ] as [([String], [String])])
    func cuts(_ chunks: [String], _ expected: [String]) {
        #expect(lines(chunks) == expected)
    }

    @Test func cutsTheSameInAnyPieces() {
        let text = "one\r\ntwo\rTWO\n\n\rthree\r\r\nfour"
        let whole = lines([text])
        for size in 1...8 {
            var rest = Array(text.utf8)[...]
            var chunks: [String] = []
            while !rest.isEmpty {
                chunks.append(String(decoding: rest.prefix(size), as: UTF8.self))
                rest = rest.dropFirst(size)
            }
            #expect(lines(chunks) == whole)
        }
    }

    @Test func longLinesComeInPieces() {
        var cutter = LineCutter()
        var pieces: [LineCutter.Piece] = []
        cutter.feed([UInt8](repeating: 0x78, count: LineCutter.limit * 2 + 1), at: .zero) { pieces.append($0) }
        cutter.feed([0x0a], at: .seconds(1)) { pieces.append($0) }
        #expect(pieces.map(\.bytes.count) == [LineCutter.limit, LineCutter.limit, 1])
        #expect(pieces.map(\.begins) == [true, false, false])
        #expect(pieces.map(\.ends) == [false, false, true])
        #expect(pieces.allSatisfy { $0.time == .zero })
    }

    @Test func tailKeepsTheLastLinesWithinBounds() {
        var cutter = LineCutter()
        var tail = LogTail(count: 3)
        for line in 1...5 { cutter.feed(Array("\(line)\n".utf8), at: .zero) { tail.append($0) } }
        #expect(tail.lines.map { String(decoding: $0.bytes, as: UTF8.self) } == ["3", "4", "5"])
        cutter.feed([UInt8](repeating: 0x78, count: 10 << 20), at: .zero) { tail.append($0) }
        #expect(tail.lines.map(\.bytes.count) == [1, 1, LogTail.lineLimit])
    }
}
