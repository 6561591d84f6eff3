import Requests

/// The identifiers and names of containers.
package enum ContainerNames {
    /// 64 hexadecimal digits.
    package static func newID() -> String { digits(64) }

    /// Random hexadecimal digits.
    static func digits(_ count: Int) -> String {
        String((0..<count).map { _ in "0123456789abcdef".randomElement() ?? "0" })
    }

    /// A name that nobody has chosen.
    static func random() -> String {
        "\(qualities.randomElement() ?? "plain")_\(things.randomElement() ?? "layer")"
    }

    /// Whether a text can be a name: Podman's rule, which is Docker's but for names of one character.
    package static func isValid(_ text: String) -> Bool { HostVolume.isName(text + (text.utf8.count == 1 ? "-" : "")) }

    private static let qualities = [
        "amber", "brisk", "calm", "clear", "crisp", "dapper", "eager", "early", "fair", "fleet", "frosty", "gentle",
        "glad", "golden", "happy", "jolly", "keen", "lively", "lucid", "mellow", "merry", "modest", "nimble", "plucky",
        "proud", "quiet", "rapid", "serene", "silver", "steady", "sunny", "swift", "tidy", "vivid", "warm", "witty",
    ]

    private static let things = [
        "alder", "aspen", "basalt", "beech", "birch", "brook", "cedar", "chalk", "cliff", "clover", "copper", "coral",
        "delta", "dune", "elm", "fern", "fjord", "flint", "garnet", "glacier", "granite", "harbor", "hazel", "heron",
        "juniper", "larch", "lagoon", "maple", "marble", "meadow", "osprey", "pebble", "quartz", "slate", "willow",
    ]
}
