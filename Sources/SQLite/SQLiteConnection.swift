import CSQLite

/// A connection to a database, as it is inside a transaction; see ``SQLiteDatabase``.
///
/// It belongs to one thread at a time.
@safe
package final class SQLiteConnection {
    // Safe: the handle is valid until this ends, and leaves it nowhere.
    private let handle: OpaquePointer
    /// Compiled statements by their text. The program has a fixed number of them.
    private var statements: [String: Statement] = [:]

    /// Opens a file, or a database in memory without one.
    init(path: String?, readOnly: Bool, busyMilliseconds: Int32) throws(SQLiteError) {
        let access = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        var opened: OpaquePointer?
        let code = unsafe sqlite3_open_v2(path ?? ":memory:", &opened, access | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened = unsafe opened else {
            defer { unsafe sqlite3_close_v2(opened) }
            throw unsafe Self.error(opened, code)
        }
        unsafe handle = opened
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, busyMilliseconds)
    }

    deinit {
        // Statements are finalized by their own end; until then the connection stays behind as a zombie.
        unsafe sqlite3_close_v2(handle)
    }

    /// The rows of a query.
    package func rows(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws(SQLiteError) -> [Row] {
        let statement = try statement(sql)
        defer { statement.reset() }
        try check(statement.bind(arguments))
        var rows: [Row] = []
        while true {
            let code = statement.step()
            if code == SQLITE_DONE { return rows }
            guard code == SQLITE_ROW else { throw unsafe Self.error(handle, code) }
            rows.append(statement.row)
        }
    }

    /// The first row of a query; `nil` when it has none.
    package func row(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws(SQLiteError) -> Row? {
        let statement = try statement(sql)
        defer { statement.reset() }
        try check(statement.bind(arguments))
        let code = statement.step()
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw unsafe Self.error(handle, code) }
        return statement.row
    }

    /// Runs one statement.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    package func execute(_ sql: String, _ arguments: [any SQLiteConvertible] = []) throws(SQLiteError) -> Int {
        _ = try row(sql, arguments)
        return unsafe Int(sqlite3_changes(handle))
    }

    /// Runs statements that are separated by semicolons and have no arguments.
    package func executeScript(_ sql: String) throws(SQLiteError) {
        try check(unsafe sqlite3_exec(handle, sql, nil, nil, nil))
    }

    /// The number of the row that was inserted last.
    package var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    /// Runs `body` in a transaction: all of it or nothing.
    func transaction<Value>(_ begin: String, _ body: (SQLiteConnection) throws -> Value) throws -> Value {
        try executeScript(begin)
        do {
            let value = try body(self)
            try executeScript("COMMIT")
            return value
        } catch {
            // Some failures, such as a full disk, have rolled it back already.
            if unsafe sqlite3_get_autocommit(handle) == 0 { try? executeScript("ROLLBACK") }
            throw error
        }
    }

    /// Copies the whole database into another, which loses what it had.
    func copy(to other: SQLiteConnection) throws(SQLiteError) {
        guard let backup = unsafe sqlite3_backup_init(other.handle, "main", handle, "main") else {
            throw unsafe Self.error(other.handle, sqlite3_extended_errcode(other.handle))
        }
        let step = unsafe sqlite3_backup_step(backup, -1)
        let code = unsafe sqlite3_backup_finish(backup)
        guard step == SQLITE_DONE, code == SQLITE_OK else {
            throw unsafe Self.error(other.handle, code == SQLITE_OK ? step : code)
        }
    }

    private func statement(_ sql: String) throws(SQLiteError) -> Statement {
        if let known = statements[sql] { return known }
        var compiled: OpaquePointer?
        var isWhole = false
        try check(
            unsafe sql.withCString { text in
                var rest: UnsafePointer<CChar>?
                defer { unsafe isWhole = rest.map { unsafe $0.pointee == 0 } ?? false }
                return unsafe sqlite3_prepare_v3(
                    handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, &rest)
            })
        guard let compiled = unsafe compiled else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "there is no statement in '\(sql)'")
        }
        let statement = unsafe Statement(compiled)
        // The rest would not be run, and nobody would notice.
        guard isWhole else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "there is more than one statement in '\(sql)'")
        }
        statements[sql] = statement
        return statement
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw unsafe Self.error(handle, code) }
    }

    private static func error(_ handle: OpaquePointer?, _ code: Int32) -> SQLiteError {
        guard let handle = unsafe handle, let text = unsafe sqlite3_errmsg(handle) else {
            return SQLiteError(code: code, message: "out of memory")
        }
        let extended = unsafe sqlite3_extended_errcode(handle)
        // The connection has noted the last failure, which is another one where a code came from elsewhere.
        guard extended & 0xff == code & 0xff else {
            return unsafe SQLiteError(code: code, message: String(cString: sqlite3_errstr(code)))
        }
        return unsafe SQLiteError(code: extended, message: String(cString: text))
    }
}

/// A compiled statement.
@safe
private final class Statement {
    // Safe: the handle is valid until this ends, and leaves it nowhere.
    private let handle: OpaquePointer
    private let columns: [String]

    init(_ handle: OpaquePointer) {
        unsafe self.handle = handle
        unsafe columns = (0..<sqlite3_column_count(handle)).map { column in
            unsafe sqlite3_column_name(handle, column).map { unsafe String(cString: $0) } ?? ""
        }
    }

    deinit { unsafe sqlite3_finalize(handle) }

    func bind(_ arguments: [any SQLiteConvertible]) -> Int32 {
        // An argument left out would be NULL, and be noticed by nobody.
        guard unsafe arguments.count == Int(sqlite3_bind_parameter_count(handle)) else { return SQLITE_RANGE }
        for (index, argument) in arguments.enumerated() {
            let code = bind(argument.sqliteValue, Int32(index + 1))
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }

    private func bind(_ value: SQLiteValue, _ position: Int32) -> Int32 {
        switch value {
        case .null: return unsafe sqlite3_bind_null(handle, position)
        case .integer(let number): return unsafe sqlite3_bind_int64(handle, position, number)
        case .real(let number): return unsafe sqlite3_bind_double(handle, position, number)
        case .text(let text):
            return unsafe sqlite_bind_text_copy(handle, position, text, Int64(text.utf8.count))
        case .blob(let bytes):
            return unsafe bytes.withUnsafeBytes { bytes in
                unsafe sqlite_bind_blob_copy(handle, position, bytes.baseAddress, Int64(bytes.count))
            }
        }
    }

    func step() -> Int32 { unsafe sqlite3_step(handle) }

    func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    var row: Row { Row(values: columns.indices.map { value(Int32($0)) }, columns: columns) }

    private func value(_ column: Int32) -> SQLiteValue {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: .integer(unsafe sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: .real(unsafe sqlite3_column_double(handle, column))
        case SQLITE_TEXT:
            .text(unsafe String(decoding: bytes(column, sqlite3_column_text(handle, column)), as: UTF8.self))
        case SQLITE_BLOB: .blob(unsafe Array(bytes(column, sqlite3_column_blob(handle, column))))
        default: .null
        }
    }

    /// The bytes of a text or a blob, valid until the next step. Their count is right after the value was asked for.
    private func bytes(_ column: Int32, _ start: UnsafeRawPointer?) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
    }
}
