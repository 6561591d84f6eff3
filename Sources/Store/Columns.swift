package import Linux
package import OCI
import SQLite

// How values are kept in columns: digests as text, lists of digests joined by spaces, times as text that sorts.

extension Timestamp {
    /// RFC 3339 with all nine digits of the fraction.
    var column: String {
        let digits = String(nanoseconds)
        return civil(separator: "T") + "." + String(repeating: "0", count: 9 - digits.count) + digits + "Z"
    }

    init(column: String) { self = Timestamp(parsing: column) ?? Timestamp(seconds: 0) }

    /// The clock of the system.
    package static var now: Timestamp { Timestamp(FileTime.now) }

    package var fileTime: FileTime { FileTime(seconds: seconds, nanoseconds: Int64(nanoseconds)) }
    init(_ time: FileTime) { self.init(seconds: time.seconds, nanoseconds: Int32(clamping: time.nanoseconds)) }
}

extension Sequence where Element: CustomStringConvertible {
    var column: String { map(\.description).joined(separator: " ") }
}

extension [Digest] {
    init(column: String) throws {
        self = try column.utf8.split(separator: UInt8(ascii: " ")).map { try Digest(parsing: Substring($0)) }
    }
}

extension [DiffID] {
    init(column: String) throws { self = try [Digest](column: column).map(DiffID.init) }
}
