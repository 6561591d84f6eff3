/// Shares as reports print them.
package enum Percentage {
    /// A ratio with two decimals, rounded down, so that `100.00 %` means all; `n/a` for a ratio to nothing.
    package static func exact(_ ratio: Double) -> String {
        let hundredths = (ratio * 10_000).rounded(.down)
        return hundredths.isFinite ? "\((hundredths / 100).fixed(2)) %" : "n/a"
    }

    /// A part in whole percent, e.g. `25%`; `nil` if there is no whole.
    package static func whole(_ part: Double, of whole: Double, rounded rule: FloatingPointRoundingRule) -> String? {
        guard whole > 0 else { return nil }
        let percent = (part * 100 / whole).rounded(rule)
        return percent.isFinite ? "\(percent.fixed(0))%" : nil
    }
}
