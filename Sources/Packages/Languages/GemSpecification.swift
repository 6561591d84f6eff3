/// The specification of an installed gem of Ruby, as RubyGems writes it: assignments, one a line. No Ruby is run.
enum GemSpecification {
    static func package(in bytes: [UInt8]) -> InstalledSoftware? {
        var name: String?
        var version: String?
        var licenses: [String] = []
        for line in TextLines.split(bytes).prefix(2000) {
            if name == nil { name = value(of: ".name", in: line).first }
            if version == nil { version = value(of: ".version", in: line).first }
            if licenses.isEmpty { licenses = value(of: ".licenses", in: line) + value(of: ".license", in: line) }
        }
        var package = InstalledSoftware(.gem, name: name, version: version)
        package?.license = licenses.isEmpty ? nil : licenses.prefix(16).joined(separator: " OR ")
        return package
    }

    /// The quoted texts behind `NAME =`.
    private static func value(of name: String, in line: Substring) -> [String] {
        let text = line.drop { $0.isWhitespace }
        guard let equals = text.firstIndex(of: "="), text[..<equals].contains(name) else { return [] }
        let left = text[..<equals].split(separator: " ").joined()
        guard left.hasSuffix(name), left.dropLast(name.count).allSatisfy({ $0.isLetter || $0 == "_" }) else {
            return []
        }
        var found: [String] = []
        var rest = text[equals...]
        while let start = rest.firstIndex(where: { $0 == "\"" || $0 == "'" }) {
            let quote = rest[start]
            let body = rest[rest.index(after: start)...]
            guard let end = body.firstIndex(of: quote) else { break }
            found.append(String(body[..<end]))
            rest = body[body.index(after: end)...]
        }
        return found
    }
}
