/// A moment in UTC, to the nanosecond, written as RFC 3339 with as many fraction digits as are needed (as Go does).
package struct Timestamp: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    package let seconds: Int64
    /// 0 to 999,999,999.
    package let nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Parses RFC 3339, e.g. `2023-11-14T22:13:20.5+01:00`; `nil` when it is anything else.
    package init?(parsing text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return Int64(String(decoding: bytes[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            bytes[4] == UInt8(ascii: "-"), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var index = 19
        var fraction: [UInt8] = []
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
                fraction.append(bytes[index])
                index += 1
            }
        }
        guard let offset = Self.zoneOffset(bytes[min(index, bytes.count)...]) else { return nil }
        let padded = fraction.prefix(9) + [UInt8](repeating: 0x30, count: max(0, 9 - fraction.count))
        nanoseconds = Int32(String(decoding: padded, as: UTF8.self)) ?? 0
        seconds = Self.days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    }

    private static func zoneOffset(_ zone: ArraySlice<UInt8>) -> Int64? {
        if zone.elementsEqual("Z".utf8) || zone.elementsEqual("z".utf8) { return 0 }
        let text = String(decoding: zone, as: UTF8.self)
        let parts = text.dropFirst().split(separator: ":")
        guard zone.count == 6, let sign = text.first, sign == "+" || sign == "-", parts.count == 2,
            let hours = UInt8(parts[0]), let minutes = UInt8(parts[1])
        else { return nil }
        return (sign == "-" ? -1 : 1) * (Int64(hours) * 3600 + Int64(minutes) * 60)
    }

    /// Days since the epoch of a date of the proleptic Gregorian calendar, counted in eras of 400 years from March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private var date: (year: Int64, month: Int64, day: Int64) {
        let (whole, rest) = seconds.quotientAndRemainder(dividingBy: 86400)
        let days = (rest < 0 ? whole - 1 : whole) + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// `2023-11-14 22:13:20`: date and time of day in UTC with the given separator, without a fraction.
    package func civil(separator: String) -> String {
        let (year, month, day) = date
        let time = ((seconds % 86400) + 86400) % 86400
        return "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(day, 2))\(separator)"
            + "\(Self.pad(time / 3600, 2)):\(Self.pad(time / 60 % 60, 2)):\(Self.pad(time % 60, 2))"
    }
}

extension Timestamp: CustomStringConvertible {
    package var description: String {
        var fraction = ""
        if nanoseconds > 0 {
            fraction = "." + Self.pad(Int64(nanoseconds), 9)
            while fraction.hasSuffix("0") { fraction.removeLast() }
        }
        return civil(separator: "T") + fraction + "Z"
    }
}

extension Timestamp: Comparable {
    package static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        (lhs.seconds, lhs.nanoseconds) < (rhs.seconds, rhs.nanoseconds)
    }
}
