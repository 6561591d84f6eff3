/// The colours of steps on a terminal, as the parameters of `ESC [ ... m`.
struct ProgressColours: Hashable, Sendable {
    var completed = "34"
    var cancelled = "33"
    var failed = "31"
    var warning = "33"
    let faint = "2"

    init() {}

    /// Reads BuildKit's variable `BUILDKIT_COLORS`: fields such as `run=green:error=255,0,0`, of `run`, `cancel`, `error`
    /// and `warning`. As with BuildKit, a field that means nothing changes nothing.
    init(environment: (String) -> String?) {
        for field in (environment("BUILDKIT_COLORS") ?? "").split(separator: ":") {
            let parts = field.split(separator: "=", maxSplits: 1).map { String($0) }
            guard parts.count == 2, let parameters = Self.parameters(parts[1]) else { continue }
            switch parts[0] {
            case "run": completed = parameters
            case "cancel": cancelled = parameters
            case "error": failed = parameters
            case "warning": warning = parameters
            default: break
            }
        }
    }

    private static let names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]

    private static func parameters(_ colour: String) -> String? {
        if colour == "default" { return "39" }
        let parts = colour.split(separator: ",", omittingEmptySubsequences: false)
        if parts.count == 3 {
            let numbers = parts.compactMap { UInt8($0) }
            return numbers.count == 3 ? "38;2;\(numbers[0]);\(numbers[1]);\(numbers[2])" : nil
        }
        let light = "light-"
        if colour.hasPrefix(light) {
            return names.firstIndex(of: String(colour.dropFirst(light.count))).map { "9\($0)" }
        }
        return names.firstIndex(of: colour).map { "3\($0)" }
    }
}
