import Console
import GoCompat
import OCI

/// The picture of a transfer on a terminal: a line for each layer.
struct TransferFrame {
    let trace: TransferTrace
    let words: TransferWords
    let now: Duration
    let size: WindowSize
    /// The last frame stays on the screen, so it is not cut to the window's height.
    let isFinal: Bool

    /// The narrowest bar that says something.
    private static let narrowestBar = 8
    private static let widestBar = 40

    /// The lines from top to bottom, none wider than the window less one column, so that no terminal wraps them.
    func render() -> [String] {
        let room = max(1, size.rows - 2)
        guard !isFinal, trace.layers.count > room else { return trace.layers.map(line) }
        // Layers that move are what is looked at; of the others there is a count.
        let shown = trace.layers.filter(\.isActive).prefix(room - 1).map(line)
        let done = trace.layers.count { $0.outcome != nil }
        return shown + [cut("\(done) of \(trace.layers.count) layers done")]
    }

    private func line(_ layer: TransferTrace.Layer) -> String {
        let head = "\(layer.blob.digest.short): "
        if let outcome = layer.outcome { return cut(head + outcome) }
        guard layer.isActive else { return cut(head + "Waiting") }
        let left = "\(head)\(words.active) "
        let numbers = layer.numbers(at: now)
        let bar = min(Self.widestBar, size.columns - 1 - left.count - numbers.count - 1)
        guard bar >= Self.narrowestBar else { return cut(left + numbers) }
        return "\(left)\(Self.bar(layer.share, columns: bar)) \(numbers)"
    }

    private func cut(_ text: String) -> String { text.ellipsized(to: max(1, size.columns - 1)) }

    /// `[====>    ]`
    private static func bar(_ share: Double, columns: Int) -> String {
        let inside = columns - 2
        let filled = Int(share * Double(inside))
        let head = filled < inside ? ">" : ""
        return "[" + String(repeating: "=", count: filled) + head
            + String(repeating: " ", count: max(0, inside - filled - 1)) + "]"
    }
}

extension TransferTrace.Layer {
    /// The bytes so far and in all, the rate and the time left: `12.3MB/45.1MB  5.2MB/s  7s`.
    func numbers(at now: Duration) -> String {
        var parts = ["\(HumanSize.short(count))/\(HumanSize.short(blob.size))"]
        if let rate = rate(at: now) { parts.append("\(HumanSize.short(Int64(exactly: rate.rounded()) ?? .max))/s") }
        if let left = timeLeft(at: now) {
            parts.append(left < .seconds(60) ? "\(left.components.seconds)s" : HumanDuration.short(left))
        }
        return parts.joined(separator: "  ")
    }
}
