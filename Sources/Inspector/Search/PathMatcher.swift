import Diagnostics
package import Linux

/// Searches paths for a pattern, one byte at a time.
///
/// A state is the set of instructions that may go on after some bytes. States are made as they are needed and kept, so
/// that most bytes cost one look into a table.
package struct PathMatcher {
    /// The state in which the pattern was found, whatever follows.
    private static let found = 0
    /// As many as no pattern for names needs; more would fill the memory.
    private static let limit = 4000

    private let program: [PatternProgram.Instruction]
    private var states: [[Int32]: Int32] = [:]
    /// By state, the instructions to go on with.
    private var members: [[Int32]] = [[]]
    /// By state and byte; -1 where it is not known yet.
    private var transitions: [Int32]
    /// By state, whether the pattern is found if the path ends here.
    private var matchesAtEnd = [true]
    private var start: Int32 = 0
    private var marks: [Int32]
    private var mark: Int32 = 0

    /// Throws ``InspectorError`` `.badPattern` when the pattern needs too many states.
    package init(_ pattern: PathPattern) throws(InspectorError) {
        program = pattern.program.instructions
        transitions = [Int32](repeating: Int32(Self.found), count: 256)
        marks = [Int32](repeating: 0, count: program.count)
        start = try state(closing: [0], isStart: true)
    }

    /// Whether the pattern is in the path.
    package mutating func matches(_ path: PathBytes) throws(InspectorError) -> Bool {
        matchesAtEnd[Int(try advance(start, path.bytes[...]))]
    }

    /// The state after more bytes.
    private mutating func advance(_ state: Int32, _ bytes: ArraySlice<UInt8>) throws(InspectorError) -> Int32 {
        var state = state
        for byte in bytes {
            let slot = Int(state) << 8 | Int(byte)
            if transitions[slot] < 0 { transitions[slot] = try next(state, byte) }
            state = transitions[slot]
        }
        return state
    }

    private mutating func next(_ state: Int32, _ byte: UInt8) throws(InspectorError) -> Int32 {
        var following: [Int32] = []
        for position in members[Int(state)] {
            if case .bytes(let set) = program[Int(position)], set.contains(byte) { following.append(position + 1) }
        }
        return try self.state(closing: following, isStart: false)
    }

    /// The state with some instructions and all that can be reached from them without a byte.
    private mutating func state(closing positions: [Int32], isStart: Bool) throws(InspectorError) -> Int32 {
        let (members, isFound) = closure(positions, isStart: isStart, isEnd: false)
        if isFound { return Int32(Self.found) }
        if !isStart, let known = states[members] { return known }
        guard self.members.count < Self.limit else {
            throw InspectorError(.badPattern, "the pattern is too complex", hint: "Use a simpler one.")
        }
        let number = Int32(self.members.count)
        if !isStart { states[members] = number }
        self.members.append(members)
        transitions += [Int32](repeating: -1, count: 256)
        matchesAtEnd.append(closure(positions, isStart: isStart, isEnd: true).isFound)
        return number
    }

    private mutating func closure(
        _ positions: [Int32], isStart: Bool, isEnd: Bool
    ) -> (members: [Int32], isFound: Bool) {
        mark += 1
        var members: [Int32] = []
        var pending = positions
        while let position = pending.popLast() {
            guard marks[Int(position)] != mark else { continue }
            marks[Int(position)] = mark
            switch program[Int(position)] {
            case .bytes: members.append(position)
            case .split(let first, let second): pending += [Int32(first), Int32(second)]
            case .start: if isStart { pending.append(position + 1) }
            case .end: if isEnd { pending.append(position + 1) } else { members.append(position) }
            case .match: return ([], true)
            }
        }
        return (members.sorted(), false)
    }

    /// Of each node whether the pattern is in its path. Only the last part of each path is looked at.
    package mutating func matches(in tree: ImageTree) throws(InspectorError) -> [Bool] {
        var states = [Int32](repeating: start, count: tree.count)
        var result = [Bool](repeating: false, count: tree.count)
        let slash: [UInt8] = [UInt8(ascii: "/")]
        let parents = tree.parents
        for node in 1..<max(1, tree.count) {
            let parent = Int(parents[node])
            var state = states[parent]
            if parent != ImageTree.root { state = try advance(state, slash[...]) }
            states[node] = try advance(state, tree.name(of: node))
            result[node] = matchesAtEnd[Int(states[node])]
        }
        return result
    }
}
