// Sums of sizes that come from outside: documents, archives and file systems can say anything.

extension Int64 {
    /// The sum, or the nearest number there is where it does not fit.
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the nearest number there is where it does not fit.
    package func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflows) = subtractingReportingOverflow(other)
        return overflows ? (other < 0 ? .max : .min) : difference
    }
}

extension Sequence {
    /// The sum of the sizes of the elements, or the nearest number there is where it does not fit.
    package func clampedSum(_ size: (Element) throws -> Int64) rethrows -> Int64 {
        try reduce(0) { try $0.addingClamped(size($1)) }
    }
}
