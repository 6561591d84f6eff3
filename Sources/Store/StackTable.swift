import OCI
import SQLite
import Synchronization

/// The stacks of layers of cache records, by the numbers of their rows.
///
/// A row is a layer on the stack of another row with a lower number, so the table grows with the layers and not with the
/// records times their layers. A number is never given twice, and 0 is the empty stack.
final class StackTable: Sendable {
    private struct Known {
        var stacks: [Int64: LayerStack] = [0: LayerStack()]
        var numbers: [LayerStack: Int64] = [:]
    }

    /// The stacks that were read or committed.
    private let known = Mutex(Known())

    /// Reads a stack from the top, down to what is known of it.
    func stack(_ number: Int64, _ transaction: Transaction) throws -> LayerStack {
        var rows: [(number: Int64, layer: LayerStack.Layer)] = []
        var next = number
        while true {
            if let stack = known.withLock({ $0.stacks[next] }) {
                return rows.reversed().reduce(stack) { stack, row in
                    let stack = stack.adding(row.layer)
                    note(stack, row.number)
                    return stack
                }
            }
            guard let row = try transaction.row("SELECT parent, diff_id, created FROM stacks WHERE number = ?", [next]),
                try row[0] < next
            else { throw SQLiteError.corrupt("a stack of layers is missing") }
            rows.append((next, try LayerStack.Layer(row)))
            next = try row[0]
        }
    }

    /// The number of a stack, whose rows are made if need be. To be noted when the transaction has been committed.
    func number(of stack: LayerStack, _ transaction: Transaction) throws -> Int64 {
        var missing: [LayerStack.Layer] = []
        var next = stack
        while let layer = next.top, let below = next.below {
            // The collector may have deleted it.
            if let number = known.withLock({ $0.numbers[next] }),
                try transaction.exists("SELECT 1 FROM stacks WHERE number = ?", [number])
            {
                return try self.number(of: missing.reversed(), on: number, transaction)
            }
            missing.append(layer)
            next = below
        }
        return try number(of: missing.reversed(), on: 0, transaction)
    }

    private func number(
        of layers: some Sequence<LayerStack.Layer>, on number: Int64, _ transaction: Transaction
    ) throws -> Int64 {
        try layers.reduce(number) { try transaction.stackNumber(of: $1, on: $0) }
    }

    func note(_ stack: LayerStack, _ number: Int64) {
        known.withLock {
            $0.stacks[number] = stack
            $0.numbers[stack] = number
        }
    }
}

extension Transaction {
    /// The number of the stack of a layer on another stack, whose row is made if need be.
    func stackNumber(of layer: LayerStack.Layer, on parent: Int64) throws -> Int64 {
        let values: [any SQLiteConvertible] = [parent, layer.diffID.description, layer.created?.column ?? ""]
        try execute("INSERT OR IGNORE INTO stacks (parent, diff_id, created) VALUES (?, ?, ?)", values)
        let row = try row("SELECT number FROM stacks WHERE parent = ? AND diff_id = ? AND created = ?", values)
        guard let row else { throw SQLiteError.corrupt("a stack of layers is missing") }
        return try row[0]
    }

    /// Deletes the rows of stacks that no record has.
    func deleteUnusedStacks() throws {
        try execute(
            """
            WITH RECURSIVE used (number) AS (SELECT stack FROM cache UNION
                SELECT parent FROM stacks JOIN used USING (number))
            DELETE FROM stacks WHERE number NOT IN used
            """)
    }
}

extension LayerStack.Layer {
    /// Reads `diff_id` and `created` of a row.
    fileprivate init(_ row: Row) throws {
        let created: String = try row["created"]
        self.init(
            diffID: try DiffID(parsing: row["diff_id"] as String),
            created: created.isEmpty ? nil : Timestamp(column: created))
    }
}
