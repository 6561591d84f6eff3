import Diagnostics

/// Moments that a user gives, in seconds since 1970.
package enum Epoch {
    /// The years that the documents of an image can name: 1970 to 9999.
    package static let range: ClosedRange<Int64> = 0...253_402_300_799

    /// Throws ``RequestsError`` `.badOption` for what is no such number.
    package static func parse(_ text: String, option: String) throws -> Int64 {
        guard let seconds = Int64(text), range.contains(seconds) else {
            throw RequestsError(
                .badOption, "invalid \(option): \(text)",
                hint: "Give whole seconds since 1970-01-01, up to the year 9999.")
        }
        return seconds
    }
}
