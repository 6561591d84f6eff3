/// A server's demand for a login: one challenge of a `WWW-Authenticate` field.
///
/// Source: RFC 9110, section 11.6.1.
struct Challenge: Hashable, Sendable {
    /// Lower-case, e.g. `bearer`.
    let scheme: String
    /// Names in lower case.
    let parameters: [String: String]

    /// All challenges of all fields, in order. Text that is no challenge is passed over.
    static func parse(_ fields: [String]) -> [Challenge] {
        fields.flatMap { field in
            var scanner = Scanner(bytes: Array(field.utf8))
            return scanner.challenges()
        }
    }

    /// The challenge to answer: Bearer rather than Basic; `nil` when there is neither.
    static func preferred(of challenges: [Challenge]) -> Challenge? {
        challenges.first { $0.scheme == "bearer" && $0.parameters["realm"] != nil }
            ?? challenges.first { $0.scheme == "basic" }
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// A word followed by `=` is a parameter of the challenge before; a word without is the scheme of the next.
    mutating func challenges() -> [Challenge] {
        var result: [Challenge] = []
        var scheme: String?
        var parameters: [String: String] = [:]
        while position < bytes.count {
            skip(" ,\t")
            let word = token()
            guard !word.isEmpty else {
                position += 1
                continue
            }
            let end = position
            skip(" \t")
            if scheme != nil, take("=") {
                skip(" \t")
                let name = word.lowercased()
                let value = peek("\"") ? quoted() : token()
                // The first of equals counts, so that nothing appended can replace it.
                if parameters[name] == nil { parameters[name] = value }
            } else {
                position = end
                if let scheme { result.append(Challenge(scheme: scheme, parameters: parameters)) }
                scheme = word.lowercased()
                parameters = [:]
            }
        }
        if let scheme { result.append(Challenge(scheme: scheme, parameters: parameters)) }
        return result
    }

    private mutating func skip(_ characters: String) {
        while position < bytes.count, characters.utf8.contains(bytes[position]) { position += 1 }
    }

    private func peek(_ character: Unicode.Scalar) -> Bool {
        position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek(character) else { return false }
        position += 1
        return true
    }

    private mutating func token() -> String {
        let start = position
        while position < bytes.count, bytes[position] > 0x20, !",=\"".utf8.contains(bytes[position]) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func quoted() -> String {
        position += 1
        var value: [UInt8] = []
        while position < bytes.count, !peek("\"") {
            if peek("\\"), position + 1 < bytes.count { position += 1 }
            value.append(bytes[position])
            position += 1
        }
        position = min(position + 1, bytes.count)
        return String(decoding: value, as: UTF8.self)
    }
}
