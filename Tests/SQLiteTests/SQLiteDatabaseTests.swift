import Testing

@testable import SQLite

struct SQLiteDatabaseTests {
    @Test(arguments: [
        SQLiteValue.null, .integer(.min), .integer(.max), .real(1.5), .text(""), .text("a\u{0}b ü"), .blob([]),
        .blob([0, 255]),
    ])
    func valuesComeBackAsTheyWereGiven(_ value: SQLiteValue) throws {
        struct Given: SQLiteConvertible {
            init(sqliteValue: SQLiteValue) { self.sqliteValue = sqliteValue }
            var sqliteValue: SQLiteValue
        }
        let database = try SQLiteDatabase()
        let row = try database.read { try $0.row("SELECT ?", [Given(sqliteValue: value)]) }
        #expect(row?.values == [value])
    }

    @Test func aFailedTransactionChangesNothing() throws {
        let database = try SQLiteDatabase()
        try database.write { try $0.executeScript("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)") }
        let error = #expect(throws: SQLiteError.self) {
            try database.write { connection in
                try connection.execute("INSERT INTO t VALUES (?)", [2])
                try connection.execute("INSERT INTO t VALUES (?)", [1])
            }
        }
        #expect(error?.kind == .other)
        #expect(error?.message.contains("UNIQUE") == true)
        #expect(try database.read { try $0.rows("SELECT a FROM t").map { try $0["a"] as Int } } == [1])
    }

    @Test func aStatementSaysHowManyRowsItChanged() throws {
        let database = try SQLiteDatabase()
        try database.write { connection in
            try connection.executeScript("CREATE TABLE t (a TEXT)")
            for text in ["x", "y"] { #expect(try connection.execute("INSERT INTO t VALUES (?)", [text]) == 1) }
            #expect(try connection.execute("UPDATE t SET a = ? WHERE a <> ?", [nil as String?, "z"]) == 2)
            #expect(try connection.row("SELECT a FROM t WHERE a = ?", ["x"]) == nil)
        }
    }

    @Test func aValueOfAnotherTypeIsAFailureAndNoTrap() throws {
        let row = try #require(try SQLiteDatabase().read { try $0.row("SELECT 'text' AS a, NULL AS b, 1 AS c") })
        #expect(throws: SQLiteError.self) { try row["a"] as Int }
        #expect(throws: SQLiteError.self) { try row["b"] as String }
        #expect(throws: SQLiteError.self) { try row["nowhere"] as String }
        #expect(throws: SQLiteError.self) { try row[3] as Int }
        #expect(try row["b"] as String? == nil)
        #expect(try row[2] as Int64 == 1)
    }

    @Test(arguments: [0, 1, 3]) func theNumberOfArgumentsMustBeRight(_ count: Int) throws {
        let database = try SQLiteDatabase()
        #expect(throws: SQLiteError.self) {
            try database.read { try $0.row("SELECT ?, ?", Array(repeating: 1, count: count)) }
        }
    }

    @Test(arguments: ["", "SELECT 1; SELECT 2"]) func oneStatementIsRunAtATime(_ sql: String) throws {
        let database = try SQLiteDatabase()
        #expect(throws: SQLiteError.self) { try database.write { try $0.execute(sql) } }
    }

    @Test func aCopyHasWhatTheOriginalHas() throws {
        let (one, other) = (try SQLiteDatabase(), try SQLiteDatabase())
        try one.write { try $0.executeScript("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('kept')") }
        try other.write { try $0.executeScript("CREATE TABLE gone (a TEXT)") }
        try one.copy(to: other)
        #expect(try other.read { try $0.row("SELECT a FROM t")?[0] } == "kept")
        #expect(throws: SQLiteError.self) { try other.read { try $0.row("SELECT * FROM gone") } }
    }

    @Test func aFileThatCannotBeOpenedIsAFailure() {
        let error = #expect(throws: SQLiteError.self) { try SQLiteDatabase(path: "/nowhere/db", readOnly: true) }
        #expect(error?.kind == .cannotOpen)
    }

    @Test func threadsTakeTurns() async throws {
        let database = try SQLiteDatabase()
        try database.write { try $0.executeScript("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (0)") }
        try await withThrowingTaskGroup { group in
            for _ in 0..<100 { group.addTask { try database.write { try $0.execute("UPDATE t SET a = a + 1") } } }
            try await group.waitForAll()
        }
        #expect(try database.read { try $0.row("SELECT a FROM t")?[0] } == 100)
    }
}
