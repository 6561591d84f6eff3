/// Numbers of bytes in the form of Docker's options.
package enum ByteSize {
    /// Parses `64m`, `1.5GiB` or `4096`, in powers of 1024; `nil` if the text is no size.
    package static func parse(_ text: some StringProtocol) -> UInt64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var unit = text.dropFirst(digits.count).lowercased()
        if unit.hasPrefix(" ") { unit.removeFirst() }
        guard let number = Double(String(digits)), let power = powers[unit] else { return nil }
        return UInt64(exactly: (number * Double(UInt64(1) << (10 * power))).rounded(.down))
    }

    private static let powers: [String: UInt64] = {
        var powers: [String: UInt64] = ["": 0, "b": 0]
        for (index, letter) in "kmgtp".enumerated() {
            for suffix in ["", "b", "i", "ib"] { powers["\(letter)\(suffix)"] = UInt64(index + 1) }
        }
        return powers
    }()

    /// The number in the largest unit that keeps it whole, e.g. `64 MiB`.
    package static func text(_ bytes: UInt64) -> String {
        var (number, unit) = (bytes, 0)
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while number > 0, number.isMultiple(of: 1024), unit + 1 < units.count {
            (number, unit) = (number / 1024, unit + 1)
        }
        return "\(number) \(units[unit])"
    }
}
