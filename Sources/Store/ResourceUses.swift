import OCI

/// The stacks of layers of a store, with their parts and their users.
///
/// A stack is used by images and results, and by each used stack on top of it: so adding or taking away a user costs the
/// same however many layers are below.
struct ResourceUses: Sendable {
    var table: ResourceTable
    private(set) var forest = LayerForest()
    /// For each stack the parts of the store that its top layer is.
    private var parts: [[Int]] = []
    private var users: [Int] = []
    /// Whether an image with a name has the stack, whole or in part.
    private var isNamed: [Bool] = []

    init(_ table: ResourceTable) { self.table = table }

    // MARK: Stacks

    mutating func add(_ stack: LayerStack) -> Int? {
        defer { takeInNewNodes() }
        return forest.add(stack)
    }

    mutating func add(_ diffIDs: [DiffID]) -> Int? {
        defer { takeInNewNodes() }
        return forest.add(diffIDs)
    }

    private mutating func takeInNewNodes() {
        for node in forest.nodes[parts.count...] { parts.append(table.numbers(of: node)) }
        users += repeatElement(0, count: parts.count - users.count)
        isNamed += repeatElement(false, count: parts.count - isNamed.count)
    }

    /// The parts of the store that the top layer of a stack is.
    func parts(of stack: Int?) -> [Int] { stack.map { parts[$0] } ?? [] }

    /// All parts of the store that stacks and further resources need, each once.
    func parts(of stacks: [Int], and others: [Int]) -> [Int] {
        var all = Set(others)
        var seen: Set<Int> = []
        for stack in stacks {
            forest.descend(from: stack) { number in
                guard seen.insert(number).inserted else { return false }
                all.formUnion(parts[number])
                return true
            }
        }
        return Array(all)
    }

    // MARK: Names

    /// Notes that images with a name need these; `isOfImage` tells layers of such an image from those that a container
    /// needs.
    mutating func name(_ stack: Int?, and others: [Int], isOfImage: Bool) {
        for number in others { table.isNamed[number] = true }
        let forest = forest
        forest.descend(from: stack) { number in
            for part in parts[number] { table.isNamed[part] = true }
            guard isOfImage else { return true }
            defer { isNamed[number] = true }
            return !isNamed[number]
        }
    }

    func isNamed(_ stack: Int?) -> Bool { stack.map { isNamed[$0] } ?? false }

    /// For each stack, whether images with a name need all of its parts.
    func stacksWithNamedParts() -> [Bool] {
        var result: [Bool] = []
        result.reserveCapacity(parts.count)
        for (number, node) in forest.nodes.enumerated() {
            result.append(node.below.map { result[$0] } ?? true && parts[number].allSatisfy { table.isNamed[$0] })
        }
        return result
    }

    // MARK: Users

    mutating func hold(_ stacks: [Int], and others: [Int]) {
        let forest = forest
        for number in others { table.users[number] += 1 }
        for stack in stacks {
            forest.descend(from: stack) { number in
                users[number] += 1
                guard users[number] == 1 else { return false }
                for part in parts[number] { table.users[part] += 1 }
                return true
            }
        }
    }

    /// Takes back what ``hold(_:and:)`` noted, and returns the bytes of what has no user any more.
    mutating func release(_ stacks: [Int], and others: [Int]) -> Int64 {
        let forest = forest
        var bytes: Int64 = 0
        for number in others { bytes = bytes.addingClamped(table.release(number)) }
        for stack in stacks {
            forest.descend(from: stack) { number in
                users[number] -= 1
                guard users[number] == 0 else { return false }
                for part in parts[number] { bytes = bytes.addingClamped(table.release(part)) }
                return true
            }
        }
        return bytes
    }
}

extension ResourceTable {
    /// Takes a user away, and returns the size of what becomes free by it.
    fileprivate mutating func release(_ number: Int) -> Int64 {
        users[number] -= 1
        return users[number] == 0 && !isNamed[number] ? sizes[number] : 0
    }
}
