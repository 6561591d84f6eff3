/// The replacement of a variable.
extension WordScanner {
    /// Resolves the substitution whose `$` is next.
    mutating func substitution(_ environment: (String) -> String?) throws(DockerfileError) -> [UInt8] {
        index += 1
        guard peek == UInt8(ascii: "{") else {
            let name = name()
            if name.isEmpty { return Array("$".utf8) }
            return Array((value(of: name, environment) ?? (keepsUnset ? "$" + name : "")).utf8)
        }
        nesting += 1
        defer { nesting -= 1 }
        if nesting > Self.deepestNesting { throw DockerfileError("substitutions are nested too deeply") }
        index += 1
        guard let next = peek else { throw DockerfileError("syntax error: missing '}'") }
        if [UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ":")].contains(next) {
            throw DockerfileError("syntax error: bad substitution")
        }
        return try braced(name(), environment)
    }

    /// Reads a variable's name: letters, digits and underscores, or digits only, or one special character.
    private mutating func name() -> String {
        let start = index
        guard !isAtEnd else { return "" }
        let first = scalar
        if "@*#?-$!0".unicodeScalars.contains(first), first != "0" {
            index += 1
        } else if first.isDigit {
            while !isAtEnd, scalar.isDigit { index += scalarLength(at: index) }
        } else {
            while !isAtEnd, scalar.isNamePart { index += scalarLength(at: index) }
        }
        return input[start..<index].string
    }

    private mutating func braced(
        _ name: String, _ environment: (String) -> String?
    ) throws(DockerfileError) -> [UInt8] {
        var operation = takeOperator()
        switch operation {
        case "}":
            return Array((value(of: name, environment) ?? (keepsUnset ? "${\(name)}" : "")).utf8)
        case "/":
            return try replacement(in: name, environment)
        case "+", "-", "?", "#", "%", ":":
            let colon = operation == ":"
            if colon {
                operation = takeOperator()
                if operation == "#" || operation == "%" { throw Self.unsupported(":\(operation)") }
            }
            return try modified(name, operation, colon: colon, environment)
        default:
            throw Self.unsupported(String(operation))
        }
    }

    /// The next character; what is behind the end shows as the replacement character.
    private mutating func takeOperator() -> Unicode.Scalar {
        guard !isAtEnd else { return "\u{FFFD}" }
        let result = scalar
        index += scalarLength(at: index)
        return result
    }

    /// Resolves `${name<operation>word}` from the word on.
    private mutating func modified(
        _ name: String, _ operation: Unicode.Scalar, colon: Bool, _ environment: (String) -> String?
    ) throws(DockerfileError) -> [UInt8] {
        let isPattern = operation == "#" || operation == "%"
        let word = try closedPart(
            until: UInt8(ascii: "}"), keepingEscapes: isPattern, missing: "missing '}'", environment)
        let value = value(of: name, environment)
        let written = (colon ? ":" : "") + String(operation)
        if value == nil && keepsUnset { return Array("${\(name)\(written)".utf8) + word + [UInt8(ascii: "}")] }
        let isUsable = colon ? value?.isEmpty == false : value != nil
        let bytes = Array((value ?? "").utf8)
        switch operation {
        case "-": return isUsable ? bytes : word
        case "+": return isUsable ? word : []
        case "?":
            if isUsable { return bytes }
            let reason = value == nil ? "is not allowed to be unset" : "is not allowed to be empty"
            throw DockerfileError("\(name): \(word.isEmpty ? reason : String(decoding: word, as: UTF8.self))")
        case "#", "%":
            let isLongest = word.first.map { Unicode.Scalar($0) } == operation
            let pattern = try ShellPattern(isLongest ? word.dropFirst() : word[...])
            let rest =
                operation == "#"
                ? try pattern.trimmingPrefix(of: value ?? "", longest: isLongest)
                : try pattern.trimmingSuffix(of: value ?? "", longest: isLongest)
            return Array(rest.utf8)
        default: throw Self.unsupported(written)
        }
    }

    /// Resolves `${name/pattern/text}` and `${name//pattern/text}` from the first `/` on.
    private mutating func replacement(
        in name: String, _ environment: (String) -> String?
    ) throws(DockerfileError) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let replacesAll = peek == slash
        if replacesAll { index += 1 }
        let pattern = try closedPart(
            until: slash, keepingEscapes: true, missing: "missing '/' in ${}", environment)
        let text = try closedPart(
            until: UInt8(ascii: "}"), keepingEscapes: true, missing: "missing '}'", environment)
        let value = value(of: name, environment)
        if value == nil && keepsUnset {
            let opening = Array("${\(name)\(replacesAll ? "//" : "/")".utf8)
            return opening + pattern + [slash] + text + [UInt8(ascii: "}")]
        }
        let shell = try ShellPattern(pattern[...])
        let replaced = try shell.replacing(
            in: value ?? "", with: String(decoding: text, as: UTF8.self), all: replacesAll)
        return Array(replaced.utf8)
    }

    /// Like ``part(until:keepingEscapes:_:)``, but an error at the end of the input is reported as the missing end.
    private mutating func closedPart(
        until stop: UInt8, keepingEscapes: Bool, missing: String, _ environment: (String) -> String?
    ) throws(DockerfileError) -> [UInt8] {
        do {
            return try part(until: stop, keepingEscapes: keepingEscapes, environment)
        } catch {
            throw isAtEnd ? DockerfileError("syntax error: \(missing)") : error
        }
    }

    private static func unsupported(_ modifier: String) -> DockerfileError {
        DockerfileError("unsupported modifier (\(modifier)) in substitution")
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool {
        value < 0x80 ? UInt8(value).isDigit : properties.generalCategory == .decimalNumber
    }

    fileprivate var isNamePart: Bool {
        if value < 0x80 { return UInt8(value).isLetter || UInt8(value).isDigit || self == "_" }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
        default: false
        }
    }
}
