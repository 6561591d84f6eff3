import Diagnostics

/// A pattern for the bytes of paths: a part of them, a shell's pattern, or a regular expression.
///
/// Regular expressions have the syntax of RE2 and Go, without flags inside, word boundaries and named classes: literals, `.`,
/// `[…]`, `\d \w \s` and their opposites, `( )`, `(?: )`, `|`, `^`, `$`, `* + ?`, `{m,n}` and the lazy forms. There is
/// nothing to go back to, so the time is proportional to the length of the path, whatever the pattern.
package struct PathPattern: Sendable {
    let program: PatternProgram

    /// Paths that contain a text. Without an upper-case letter in it, case does not matter.
    package init(containing text: String) throws(InspectorError) {
        let ignoresCase = !text.contains { $0.isUppercase }
        program = try PatternProgram(
            .sequence(text.utf8.map { .bytes(ByteSet([$0], ignoringCase: ignoresCase)) }))
    }

    /// Paths in which a regular expression matches anywhere.
    ///
    /// Throws ``InspectorError`` `.badPattern`.
    package init(regularExpression text: String) throws(InspectorError) {
        var parser = RegularExpressionParser(text)
        program = try PatternProgram(try parser.parse())
    }

    /// Paths that a shell's pattern matches: all of the path if the pattern has a slash, else its last part.
    ///
    /// `*` and `?` match no slash, `**` matches any number of directories, `[a-z]` and `[!a-z]` one character, and `\` takes the
    /// meaning from the next one. Throws ``InspectorError`` `.badPattern`.
    package init(glob text: String) throws(InspectorError) {
        program = try PatternProgram(try GlobParser.parse(text))
    }
}

/// A set of bytes.
struct ByteSet: Hashable, Sendable {
    private var words: SIMD4<UInt64> = .zero

    init() {}

    init(_ bytes: some Sequence<UInt8>, ignoringCase: Bool = false) {
        for byte in bytes {
            insert(byte)
            guard ignoringCase else { continue }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): insert(byte - 32)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): insert(byte + 32)
            default: break
            }
        }
    }

    static let ascii = ByteSet(0...0x7f as ClosedRange<UInt8>)
    static let digits = ByteSet("0123456789".utf8)
    static let word = ByteSet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz".utf8)
    static let space = ByteSet(" \t\n\u{b}\u{c}\r".utf8)

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] & 1 << UInt64(byte & 63) != 0 }

    mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    mutating func formUnion(_ other: ByteSet) { words |= other.words }

    func subtracting(_ other: ByteSet) -> ByteSet {
        var result = self
        result.words &= ~other.words
        return result
    }
}

/// The parts of a pattern.
indirect enum PatternNode: Sendable {
    case bytes(ByteSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    case repeated(PatternNode, atLeast: Int, atMost: Int?)
    /// The beginning and the end of the path.
    case start
    case end

    /// One character beyond ASCII, or a byte that is none.
    static let otherCharacter: PatternNode = {
        let next = PatternNode.bytes(ByteSet(0x80...0xbf as ClosedRange<UInt8>))
        func lead(_ range: ClosedRange<UInt8>, _ count: Int) -> PatternNode {
            .sequence([.bytes(ByteSet(range))] + [PatternNode](repeating: next, count: count))
        }
        return .choice([
            lead(0xc2...0xdf, 1), lead(0xe0...0xef, 2), lead(0xf0...0xf4, 3),
            .bytes(ByteSet(0x80...0xff as ClosedRange<UInt8>)),
        ])
    }()

    /// One character that is ASCII and in the set, or beyond ASCII.
    static func character(besides excluded: ByteSet) -> PatternNode {
        .choice([.bytes(ByteSet.ascii.subtracting(excluded)), otherCharacter])
    }
}

/// A pattern as a list of instructions that search for it anywhere in a path.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        case bytes(ByteSet)
        case split(Int, Int)
        case start
        case end
        case match
    }

    private(set) var instructions: [Instruction] = []

    /// More than any pattern that a person writes needs.
    private static let limit = 5000

    /// Throws ``InspectorError`` `.badPattern` when the pattern is too large.
    init(_ node: PatternNode) throws(InspectorError) {
        // Skips any number of bytes first, as the pattern need not begin where the path does.
        instructions = [.split(3, 1), .bytes(ByteSet(0...0xff as ClosedRange<UInt8>)), .split(0, 0)]
        try add(node)
        instructions.append(.match)
    }

    private mutating func add(_ node: PatternNode) throws(InspectorError) {
        guard instructions.count < Self.limit else {
            throw InspectorError(.badPattern, "the pattern is too large")
        }
        switch node {
        case .bytes(let set): instructions.append(.bytes(set))
        case .start: instructions.append(.start)
        case .end: instructions.append(.end)
        case .sequence(let parts): for part in parts { try add(part) }
        case .choice(let parts): try add(choice: parts)
        case .repeated(let part, let least, let most): try add(part, least, most)
        }
    }

    private mutating func add(choice parts: [PatternNode]) throws(InspectorError) {
        var ends: [Int] = []
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let split = instructions.count
            if !isLast { instructions.append(.split(split + 1, split)) }
            try add(part)
            if !isLast {
                ends.append(instructions.count)
                instructions.append(.split(0, 0))
                instructions[split] = .split(split + 1, instructions.count)
            }
        }
        for end in ends { instructions[end] = .split(instructions.count, instructions.count) }
    }

    private mutating func add(_ part: PatternNode, _ least: Int, _ most: Int?) throws(InspectorError) {
        for _ in 0..<least { try add(part) }
        guard let most else {
            let split = instructions.count
            instructions.append(.split(split + 1, split))
            try add(part)
            instructions.append(.split(split, split))
            instructions[split] = .split(split + 1, instructions.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<max(least, most) {
            splits.append(instructions.count)
            instructions.append(.split(0, 0))
            try add(part)
        }
        for split in splits { instructions[split] = .split(split + 1, instructions.count) }
    }
}
