import Trees

/// Amounts as users write them in options.
package enum Quantities {
    /// A size in bytes such as `10GB`, `1.5 GiB` or `4096`: units of a thousand as `df` prints them, and of 1024 with
    /// an `i`. `nil` when it is anything else.
    package static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let number = Double(digits), let factor = sizes[unit] else { return nil }
        return Int64(exactly: (number * factor).rounded(.down))
    }

    private static let sizes: [String: Double] = {
        var sizes: [String: Double] = ["": 1, "b": 1]
        var (decimal, binary) = (1.0, 1.0)
        for letter in "kmgtp" {
            decimal *= 1000
            binary *= 1024
            sizes["\(letter)"] = decimal
            sizes["\(letter)b"] = decimal
            sizes["\(letter)i"] = binary
            sizes["\(letter)ib"] = binary
        }
        return sizes
    }()

    /// A share such as `10%` as a number up to 1; `nil` when it is anything else.
    package static func share(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let number = Double(text.dropLast()), (0...100).contains(number) else { return nil }
        return number / 100
    }

    /// A duration in seconds such as `24h`, `1h30m`, `7d` or `2w`; `nil` when it is anything else.
    package static func seconds(_ text: String) -> Int64? {
        var rest = text[...]
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = durations[String(unit)] else { return nil }
            total += number * factor
        }
        return text.isEmpty ? nil : Int64(exactly: total.rounded(.down))
    }

    private static let durations: [String: Double] = [
        "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400,
    ]
}
