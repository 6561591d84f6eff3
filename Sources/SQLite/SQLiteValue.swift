/// A value as SQLite stores it.
package enum SQLiteValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A type whose values are kept in columns, and given as arguments of statements.
package protocol SQLiteConvertible: Sendable {
    var sqliteValue: SQLiteValue { get }

    /// Makes the value of a column; `nil` when the column holds a value of another type.
    init?(sqliteValue: SQLiteValue)
}

extension Int64: SQLiteConvertible {
    package var sqliteValue: SQLiteValue { .integer(self) }

    package init?(sqliteValue: SQLiteValue) {
        guard case .integer(let value) = sqliteValue else { return nil }
        self = value
    }
}

extension Int: SQLiteConvertible {
    package var sqliteValue: SQLiteValue { .integer(Int64(self)) }

    package init?(sqliteValue: SQLiteValue) {
        guard case .integer(let value) = sqliteValue else { return nil }
        self.init(exactly: value)
    }
}

extension String: SQLiteConvertible {
    package var sqliteValue: SQLiteValue { .text(self) }

    package init?(sqliteValue: SQLiteValue) {
        guard case .text(let value) = sqliteValue else { return nil }
        self = value
    }
}

extension Optional: SQLiteConvertible where Wrapped: SQLiteConvertible {
    package var sqliteValue: SQLiteValue { self?.sqliteValue ?? .null }

    package init?(sqliteValue: SQLiteValue) {
        if case .null = sqliteValue {
            self = .none
        } else if let value = Wrapped(sqliteValue: sqliteValue) {
            self = .some(value)
        } else {
            return nil
        }
    }
}

/// A row that a query gave.
package struct Row: Sendable {
    package let values: [SQLiteValue]
    let columns: [String]

    /// The value of a column by its position.
    ///
    /// - Throws: ``SQLiteError`` of kind `.corrupt` when it has another type.
    package subscript<Value: SQLiteConvertible>(_ position: Int) -> Value {
        get throws {
            guard values.indices.contains(position), let value = Value(sqliteValue: values[position]) else {
                throw SQLiteError.corrupt("column \(position) does not hold a value of the type \(Value.self)")
            }
            return value
        }
    }

    /// The value of a column by its name.
    ///
    /// - Throws: ``SQLiteError`` of kind `.corrupt` when it has another type, or when there is no such column.
    package subscript<Value: SQLiteConvertible>(_ column: String) -> Value {
        get throws {
            guard let position = columns.firstIndex(of: column), let value = Value(sqliteValue: values[position]) else {
                throw SQLiteError.corrupt("the column \(column) does not hold a value of the type \(Value.self)")
            }
            return value
        }
    }
}
