/// Cuts the content of a file into pieces that stay the same when other parts of the file change.
///
/// A piece ends where a rolling sum of 64 bytes has its 16 low bits set; runs of 1,024 zeros and more are pieces of their
/// own. The rule is that of containers/storage, so that its clients find pieces that other tools have written.
/// Source: containers/storage, `pkg/chunked/compressor/compressor.go` and `rollsum.go`.
struct ContentChunker {
    struct Piece: Hashable {
        let size: Int64
        var isHole = false
    }

    private static let windowSize = 64
    private static let holeSize: Int64 = 1024
    private static let offset: UInt32 = 31
    private static let mask: UInt32 = 0xffff

    private var window = [UInt8](repeating: 0, count: windowSize)
    private var place = 0
    private var first = UInt32(windowSize) * offset
    private var second = UInt32(windowSize) * UInt32(windowSize - 1) * offset
    /// The length of the run of zeros at the end, which may become a hole.
    private var zeros: Int64 = 0
    /// The bytes of the present piece before that run.
    private var size: Int64 = 0
    private var pieces: [Piece] = []

    mutating func update(_ bytes: Span<UInt8>) {
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == 0 {
                zeros += 1
                continue
            }
            if zeros > 0 { endZeros() }
            add(byte)
        }
    }

    /// The pieces, in order. Their sizes together are that of the content.
    mutating func finish() -> [Piece] {
        if zeros > 0 { endZeros() }
        endPiece()
        return pieces
    }

    private mutating func endZeros() {
        let count = zeros
        zeros = 0
        guard count >= Self.holeSize else {
            for _ in 0..<count { add(0) }
            return
        }
        endPiece()
        // More zeros than the window has do not change the sum.
        for _ in 0..<Self.windowSize { roll(0) }
        pieces.append(Piece(size: count, isHole: true))
    }

    private mutating func endPiece() {
        if size > 0 { pieces.append(Piece(size: size)) }
        size = 0
    }

    private mutating func add(_ byte: UInt8) {
        size += 1
        roll(byte)
        if second & Self.mask == Self.mask { endPiece() }
    }

    private mutating func roll(_ byte: UInt8) {
        let gone = UInt32(window[place])
        first = first &+ UInt32(byte) &- gone
        second = second &+ first &- UInt32(Self.windowSize) &* (gone &+ Self.offset)
        window[place] = byte
        place = (place + 1) % Self.windowSize
    }
}
