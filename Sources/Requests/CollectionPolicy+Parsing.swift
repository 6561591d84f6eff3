import Diagnostics
import Trees

extension CollectionPolicy {
    /// Parses `off`, `on`, or amounts and ages such as `max-used=50GB,reserved=10%,unused=30d`; what is not named
    /// stays as it is by default.
    ///
    /// Throws ``RequestsError`` `.badOption`.
    package init(parsing text: String) throws {
        self.init()
        if text == "on" { return }
        if text == "off" {
            isOn = false
            return
        }
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let key = field.prefix { $0 != "=" }
            try set(String(key), String(field.dropFirst(key.count + 1)))
        }
    }

    private mutating func set(_ key: String, _ value: String) throws {
        switch key {
        case "reserved": reserved = try Self.amount(value, of: key)
        case "max-used": maxUsed = try Self.amount(value, of: key)
        case "min-free": minFree = try Self.amount(value, of: key)
        case "unused": unused = try Self.age(value, of: key)
        case "sources-unused": sourcesUnused = try Self.age(value, of: key)
        default:
            throw RequestsError(
                .badOption, "there is no limit '\(key)' of the store",
                hint: "Use off, or reserved, max-used, min-free, unused and sources-unused.")
        }
    }

    private static func amount(_ text: String, of key: String) throws -> Amount {
        if let share = Quantities.share(text) { return .share(share) }
        if let bytes = Quantities.bytes(text) { return .bytes(bytes) }
        throw RequestsError(.badOption, "'\(key)=\(text)' is no amount", hint: "Write it as 10GB or 20%.")
    }

    private static func age(_ text: String, of key: String) throws -> Int64 {
        if let seconds = Quantities.seconds(text) { return seconds }
        throw RequestsError(.badOption, "'\(key)=\(text)' is no duration", hint: "Write it as 48h or 60d.")
    }
}
