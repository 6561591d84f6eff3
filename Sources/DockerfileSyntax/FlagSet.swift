/// The flags of one instruction, checked against those it knows.
struct FlagSet {
    enum Kind {
        case boolean
        case text

        /// May be given more than once.
        case list
    }

    private var values: [String: [String]] = [:]

    /// Checks and collects `words`, each with its leading `--`. `known` is in the order in which names are suggested.
    init(_ words: [String], known: KeyValuePairs<String, Kind>) throws(DockerfileError) {
        for word in words {
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map { String($0) } ?? ""
            let value = parts.count > 1 ? String(parts[1]) : nil
            guard let kind = known.first(where: { $0.key == name })?.value else {
                let hint = Suggestions.hint(for: name, among: known.map(\.key), matchingCase: true)
                throw DockerfileError("unknown flag: --\(name)\(hint)")
            }
            if kind != .list && values[name] != nil {
                throw DockerfileError("duplicate flag specified: --\(name)")
            }
            values[name, default: []].append(try Self.checked(value, kind, of: name))
        }
    }

    private static func checked(
        _ value: String?, _ kind: Kind, of name: String
    ) throws(DockerfileError) -> String {
        if kind != .boolean {
            guard let value else { throw DockerfileError("missing a value on flag: --\(name)") }
            return value
        }
        guard let value else { return "true" }
        if value.isEmpty { throw DockerfileError("missing a value on flag: --\(name)") }
        let lower = value.lowercased()
        guard lower == "true" || lower == "false" else {
            throw DockerfileError("expecting boolean value for flag --\(name), not: \(value)")
        }
        return lower
    }

    func text(_ name: String) -> String? { values[name]?.first }

    func boolean(_ name: String) -> Bool? { text(name).map { $0 == "true" } }

    func list(_ name: String) -> [String] { values[name] ?? [] }
}
