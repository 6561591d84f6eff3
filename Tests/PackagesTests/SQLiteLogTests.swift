import Diagnostics
import Glibc
import Inspector
import Layers
import Linux
import OCI
import Packages
import SQLite
import SystemPackage
import Testing

/// Databases of rpm whose last transactions are in the write-ahead log beside them. SQLite itself says what they hold.
@Suite struct SQLiteLogTests {
    /// The bytes of a database and of its log at one moment.
    struct Files: Sendable {
        var database: [UInt8]
        var log: [UInt8]
    }

    private static let path = "usr/lib/sysimage/rpm/rpmdb.sqlite"

    // MARK: Making databases

    /// A directory that is removed with all in it.
    private final class Folder {
        let path: FilePath

        init() throws {
            var template = Array("/tmp/packages.XXXXXX".utf8CString)
            guard unsafe mkdtemp(&template) != nil else { throw LinuxError(.current, "create", "a directory") }
            path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }

        deinit {
            for name in ["db", "db-wal", "db-shm", "db-journal"] { unsafe unlink(path.appending(name).string) }
            unsafe rmdir(path.string)
        }

        var database: String { path.appending("db").string }

        func files() throws -> Files {
            func bytes(_ name: String) throws -> [UInt8] {
                try OwnedDescriptor.open(path.appending(name)).readAll(limit: 64 << 20)
            }
            return Files(database: try bytes("db"), log: try bytes("db-wal"))
        }
    }

    /// The files of a database with these transactions, the first of which alone is in the file of the database.
    private static func files(pageSize: Int = 4096, _ first: String, then later: String...) throws -> Files {
        let folder = try Folder()
        let database = try SQLiteDatabase(path: folder.database)
        try database.withoutTransaction { connection in
            try connection.executeScript(
                "PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
                    + "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL); \(first);"
                    + "PRAGMA wal_checkpoint(TRUNCATE)")
            for script in later { try connection.executeScript(script) }
        }
        return try folder.files()
    }

    /// The statement that adds a package, or puts another version in its place.
    private static func adding(_ number: Int, _ version: Int = 1, padding: Int = 100) -> String {
        let header = makeRPMHeader("p\(number)", "\(version)", padding: padding)
        let digits = header.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        return "INSERT OR REPLACE INTO Packages VALUES (\(number), x'\(digits)');"
    }

    // MARK: Reading them

    private static func bill(_ layers: [(String, [UInt8])]...) throws -> BillOfMaterials {
        let files = layers.map { layer in layer.map { (LayerEntry(path: PathBytes($0.0), kind: .regular), $0.1) } }
        let lines = layers.indices.map { LayerOrigin(lines: ($0 + 2)...($0 + 2), text: "") }
        return try SoftwareScan(makeImage(bytes: files)).bill(
            named: "image", of: Digest(of: [1]), created: Timestamp(seconds: 0), tool: ("lamina", "1"), origins: lines)
    }

    /// The packages that Lamina reads.
    private static func packages(_ files: Files) throws -> [String] {
        try bill([(path, files.database), (path + "-wal", files.log)]).items
            .map { "\($0.software.name) \($0.software.version)" }.sorted()
    }

    /// The packages that SQLite reads.
    private static func truth(_ files: Files) throws -> [String] {
        let folder = try Folder()
        try folder.path.write(files)
        let database = try SQLiteDatabase(path: folder.database)
        return try database.read { try $0.rows("SELECT blob FROM Packages") }.map { row in
            guard case .blob(let blob)? = row.values.first else { return "" }
            let fields = blob[56...].split(separator: 0, maxSplits: 3)
            return fields.prefix(2).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") + "-2"
        }.sorted()
    }

    @Test func `what was committed to the log is read`() throws {
        let files = try Self.files(
            Self.adding(1) + Self.adding(2), then: Self.adding(3) + "DELETE FROM Packages WHERE hnum = 1",
            Self.adding(2, 5))
        #expect(try Self.packages(files) == ["p2 5-2", "p3 1-2"])
        #expect(try Self.truth(files) == ["p2 5-2", "p3 1-2"])
        #expect(try Self.packages(Files(database: files.database, log: [])) == ["p1 1-2", "p2 1-2"])
    }

    @Test(arguments: [512, 1024, 4096, 65536]) func `pages of every size are put in their places`(_ size: Int) throws {
        // More packages than a page holds, and headers that go on in other pages.
        let many = (1...60).map { Self.adding($0, padding: $0 * 40) }.joined()
        let files = try Self.files(pageSize: size, Self.adding(1), then: many, "DELETE FROM Packages WHERE hnum < 30")
        let truth = try Self.truth(files)
        #expect(truth.count == 31)
        #expect(try Self.packages(files) == truth)
    }

    @Test func `a transaction that did not end is not read`() throws {
        let folder = try Folder()
        let database = try SQLiteDatabase(path: folder.database)
        try database.withoutTransaction { connection in
            try connection.executeScript(
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 2;"
                    + "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL); \(Self.adding(1))")
            let before = try folder.files()
            // More pages than the cache has: they go to the log before the end.
            try connection.executeScript("BEGIN; " + (2...40).map { Self.adding($0, padding: 3000) }.joined())
            let during = try folder.files()
            try connection.executeScript("ROLLBACK")
            #expect(during.log.count > before.log.count)
            #expect(try Self.packages(during) == ["p1 1-2"])
            #expect(try Self.truth(during) == ["p1 1-2"])
        }
    }

    @Test func `a database that became smaller ends where its last transaction says`() throws {
        let many = (1...60).map { Self.adding($0, padding: 3000) }.joined()
        let files = try Self.files(many, then: "DELETE FROM Packages WHERE hnum > 3", "VACUUM")
        #expect(try Self.packages(files) == ["p1 1-2", "p2 1-2", "p3 1-2"])
        #expect(try Self.truth(files) == ["p1 1-2", "p2 1-2", "p3 1-2"])
    }

    @Test func `frames of an earlier use of the file are passed over`() throws {
        let many = (10...40).map { Self.adding($0, padding: 3000) }.joined()
        let files = try Self.files(
            Self.adding(1), then: many, "PRAGMA wal_checkpoint(RESTART)", "DELETE FROM Packages WHERE hnum > 9",
            Self.adding(2))
        #expect(try Self.packages(files) == ["p1 1-2", "p2 1-2"])
        #expect(try Self.truth(files) == ["p1 1-2", "p2 1-2"])
    }

    @Test func `a log that is cut off or damaged counts as far as SQLite believes it`() throws {
        let files = try Self.files(
            Self.adding(1), then: Self.adding(2), Self.adding(3, padding: 9000), Self.adding(1, 2))
        let frame = 4096 + 24
        var variants: [Files] = []
        for length in stride(from: 0, through: files.log.count, by: frame) {
            for cut in [length, length + 32, length + 31] where cut <= files.log.count {
                variants.append(Files(database: files.database, log: Array(files.log[..<cut])))
            }
        }
        for position in [
            0, 3, 9, 17, 25, 32 + 3, 32 + frame + 5, 32 + frame + 9, 32 + 2 * frame + 17, 32 + 3 * frame + 99,
        ] {
            var damaged = files
            damaged.log[position] ^= 0x15
            variants.append(damaged)
        }
        variants.append(Files(database: [], log: files.log))
        for variant in variants.dropLast() { #expect(try Self.packages(variant) == Self.truth(variant)) }
        #expect(throws: PackagesError.self) { try Self.packages(variants[variants.count - 1]) }
    }

    @Test func `a log of another version or of other pages is refused`() throws {
        var other = try Self.files(Self.adding(1), then: Self.adding(2))
        let small = try Self.files(pageSize: 1024, Self.adding(1), then: Self.adding(2))
        let mixed = #expect(throws: PackagesError.self) {
            try Self.packages(Files(database: other.database, log: small.log))
        }
        #expect(mixed?.message == "'/\(Self.path)': its write-ahead log is of another database")
        // The sum of a header with another version, as SQLite computes it.
        other.log[7] ^= 1
        var (first, second): (UInt32, UInt32) = (0, 0)
        let isBig = other.log[3] & 1 == 1
        for index in stride(from: 0, to: 24, by: 8) {
            func word(_ place: Int) -> UInt32 {
                let word = other.log[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                return isBig ? word : word.byteSwapped
            }
            first = first &+ word(index) &+ second
            second = second &+ word(index + 4) &+ first
        }
        for (place, sum) in [(24, first), (28, second)] {
            for index in 0..<4 { other.log[place + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - index * 8)) }
        }
        let error = #expect(throws: PackagesError.self) { try Self.packages(other) }
        #expect(error?.message == "'/\(Self.path)': it has a write-ahead log of another version than 3007000")
        #expect(throws: SQLiteError.self) { try Self.truth(other) }
    }

    // MARK: Layers

    @Test func `a layer that changes the log alone brings its packages`() throws {
        let files = try Self.files(Self.adding(1), then: Self.adding(2))
        let bill = try Self.bill([(Self.path, files.database)], [(Self.path + "-wal", files.log)])
        #expect(bill.items.map(\.software.name) == ["p1", "p2"])
        #expect(bill.items.map { $0.origin?.lineText } == ["2", "3"])
        let gone = try Self.bill(
            [(Self.path, files.database), (Self.path + "-wal", files.log)], [(Self.path + "-wal", [])])
        #expect(gone.items.map(\.software.name) == ["p1"])
    }

    @Test func `images differ in packages when their logs differ`() throws {
        let files = try Self.files(Self.adding(1), then: Self.adding(2))
        let entry = LayerEntry(path: PathBytes(Self.path), kind: .regular)
        let log = LayerEntry(path: PathBytes(Self.path + "-wal"), kind: .regular)
        let old = try SoftwareRecords(makeImage(bytes: [[(entry, files.database)]]), after: 0)
        let new = try SoftwareRecords(makeImage(bytes: [[(entry, files.database), (log, files.log)]]), after: 0)
        let selection = old.selection(against: new)
        #expect(selection.newLayers == [0])
        let packages = try old.packages(of: selection, against: new)
        #expect(packages.old.map(\.name) == ["p1"] && packages.new.map(\.name) == ["p1", "p2"])
    }
}

extension FilePath {
    /// Writes a database and its log into this directory.
    fileprivate func write(_ files: SQLiteLogTests.Files) throws {
        let folder = try Directory(opening: self)
        try folder.create("db", permissions: 0o600).write(files.database.span)
        try folder.create("db-wal", permissions: 0o600).write(files.log.span)
    }
}
