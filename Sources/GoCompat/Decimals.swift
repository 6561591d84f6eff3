import Glibc

extension Double {
    /// The number with `places` decimals, as Go's `%.*f` prints it, but never with a sign before zero.
    package func fixed(_ places: Int) -> String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Inf" : "+Inf" }
        // The longest double has 309 digits before its point.
        let places = min(max(0, places), 1000)
        let capacity = 320 + places
        let text = unsafe String(unsafeUninitializedCapacity: capacity) { buffer in
            let count = unsafe withVaList([Int32(places), self]) { arguments in
                unsafe buffer.withMemoryRebound(to: CChar.self) {
                    unsafe vsnprintf($0.baseAddress, $0.count, "%.*f", arguments)
                }
            }
            return min(max(0, Int(count)), capacity - 1)
        }
        guard text.hasPrefix("-"), !text.contains(where: { ("1"..."9").contains($0) }) else { return text }
        return String(text.dropFirst())
    }
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
