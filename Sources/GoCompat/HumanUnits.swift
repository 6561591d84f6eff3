package import OCI

/// Sizes in SI units of base 1000, as Docker's `go-units` prints them.
package enum HumanSize {
    private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

    /// Three significant digits without trailing zeros: `0B`, `1.98kB`, `117MB`.
    package static func short(_ bytes: Int64) -> String {
        let (value, unit) = scaled(bytes)
        guard unit > 0 else { return "\(bytes)B" }
        let places = abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2
        // 999.9kB rounds to four digits, which are one of the next unit.
        if abs(value) >= 999.5, unit + 1 < units.count { return (value < 0 ? "-1" : "1") + units[unit + 1] }
        var text = value.fixed(places)
        if places > 0 {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return text + units[unit]
    }

    /// Always two decimals, so that the width of a growing number changes rarely: `92B`, `3.00MB`.
    package static func fixed(_ bytes: Int64) -> String {
        let (value, unit) = scaled(bytes)
        return unit == 0 ? "\(bytes)B" : value.fixed(2) + units[unit]
    }

    private static func scaled(_ bytes: Int64) -> (Double, Int) {
        var value = Double(bytes)
        var unit = 0
        while abs(value) >= 1000, unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        return (value, unit)
    }
}

/// Durations in the words of Docker's `go-units`.
package enum HumanDuration {
    /// `Less than a second`, `About a minute`, `3 weeks`; negative times count as zero.
    package static func text(seconds: Int64) -> String {
        let minutes = seconds / 60
        let hours = seconds / 3600 + (seconds % 3600 >= 1800 ? 1 : 0)
        return switch (seconds, minutes, hours) {
        case (..<1, _, _): "Less than a second"
        case (1, _, _): "1 second"
        case (..<60, _, _): "\(seconds) seconds"
        case (_, 1, _): "About a minute"
        case (_, ..<60, _): "\(minutes) minutes"
        case (_, _, 1): "About an hour"
        case (_, _, ..<48): "\(hours) hours"
        case (_, _, ..<336): "\(hours / 24) days"
        case (_, _, ..<1440): "\(hours / 24 / 7) weeks"
        case (_, _, ..<17520): "\(hours / 24 / 30) months"
        default: "\(seconds / 3600 / 24 / 365) years"
        }
    }

    /// Three significant digits: `37ms`, `2.41s`, `1m 05s`, `2h 03m`.
    package static func short(_ duration: Duration) -> String {
        let seconds = max(0, duration.seconds)
        if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded()))ms" }
        if seconds < 59.95 { return "\(seconds.fixed(seconds < 9.995 ? 2 : 1))s" }
        let whole = Int64(min(seconds.rounded(), 1e15))
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return whole < 3600 ? "\(whole / 60)m \(two(whole % 60))s" : "\(whole / 3600)h \(two(whole / 60 % 60))m"
    }

    /// The time since `time`: `3 weeks ago`; `N/A` without one.
    ///
    /// Times before 1970 say that there is none: Go's zero time is the year 1.
    package static func ago(_ time: Timestamp?, now: Timestamp) -> String {
        guard let time, time.seconds >= 0 else { return "N/A" }
        return text(seconds: now.seconds - time.seconds) + " ago"
    }
}
