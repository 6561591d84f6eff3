/// Durations as HEALTHCHECK takes them, such as `1h2m3.5s`.
package enum GoDuration {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("\u{B5}s", 1000), ("\u{3BC}s", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// The number of nanoseconds; fails as Go's `time.ParseDuration` does, and with its words.
    package static func nanoseconds(_ text: String) throws(DockerfileError) -> Int64 {
        var rest = Text(text)
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual("0".utf8) { return 0 }
        if rest.isEmpty { throw invalid(text) }
        var total: Int64 = 0
        while !rest.isEmpty {
            let (part, overflow) = total.addingReportingOverflow(try component(&rest, of: text))
            if overflow { throw invalid(text) }
            total = part
        }
        return isNegative ? -total : total
    }

    /// Takes one number with its unit off the front of `rest`.
    private static func component(_ rest: inout Text, of text: String) throws(DockerfileError) -> Int64 {
        let whole = rest.prefix(while: \.isDigit)
        rest = rest[whole.endIndex...]
        var fraction: Text = []
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: \.isDigit)
            rest = rest[fraction.endIndex...]
        }
        if whole.isEmpty && fraction.isEmpty { throw invalid(text) }
        let name = rest.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") }
        rest = rest[name.endIndex...]
        if name.isEmpty { throw DockerfileError("time: missing unit in duration \(text.quoted)") }
        guard let unit = units.first(where: { name.elementsEqual($0.name.utf8) })?.nanoseconds else {
            throw DockerfileError("time: unknown unit \(name.string.quoted) in duration \(text.quoted)")
        }
        guard let count = whole.isEmpty ? 0 : Int64(whole.string) else { throw invalid(text) }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        let tail = fraction.reduce((digits: 0.0, scale: 1.0)) { sum, digit in
            (sum.digits * 10 + Double(digit - UInt8(ascii: "0")), sum.scale * 10)
        }
        let extra = tail.digits * (Double(unit) / tail.scale)
        let (result, sumOverflow) = product.addingReportingOverflow(extra.isFinite ? Int64(extra) : 0)
        if overflow || sumOverflow { throw invalid(text) }
        return result
    }

    private static func invalid(_ text: String) -> DockerfileError {
        DockerfileError("time: invalid duration \(text.quoted)")
    }
}
