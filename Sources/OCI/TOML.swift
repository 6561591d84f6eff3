import Diagnostics

/// A parser for the part of TOML that configuration files of registries use: tables, arrays of tables, dotted and quoted
/// keys, strings, integers, booleans, arrays and inline tables.
///
/// Floats and dates are refused. Source: https://toml.io/en/v1.0.0.
package struct TOML {
    package struct Malformed: Error, CustomStringConvertible {
        let line: Int
        let reason: String

        package var description: String { "line \(line): \(reason)" }
    }

    private let bytes: [UInt8]
    private var position = 0
    private static let depthLimit = 32
    /// The lines of keys and headers, by their path.
    private var lines: [[String]: Int] = [:]
    /// A position whose line is known: lines are counted on from there.
    private var counted = (position: 0, line: 1)

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The document as an object. Throws ``Malformed``.
    package static func parse(_ bytes: [UInt8]) throws -> JSON { try parseWithLines(bytes).document }

    /// The document as an object, and the line of each key outside of inline tables. Throws ``Malformed``.
    package static func parseWithLines(_ bytes: [UInt8]) throws -> (document: JSON, lines: [[String]: Int]) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Malformed(line: 1, reason: "it is not UTF-8")
        }
        var parser = TOML(bytes)
        return (try parser.document(), parser.lines)
    }

    private mutating func document() throws -> JSON {
        var root = JSONObject()
        var path: [String] = []
        while true {
            skipSpace(andLines: true)
            guard let byte = peek else { return .object(root) }
            if byte == UInt8(ascii: "[") {
                position += 1
                let isArray = take("[")
                path = try keys(until: "]")
                guard !isArray || take("]") else { throw malformed("an array of tables ends with ]]") }
                note(path)
                try Self.open(
                    path[...], isArray: isArray, in: &root, malformed("'\(path.joined(separator: "."))' is no table"))
            } else {
                let key = try keys(until: "=")
                note(path + key)
                let value = try value(0)
                let failure = malformed("'\(key.joined(separator: "."))' is there twice or is no table")
                try Self.set(value, at: (path + key)[...], in: &root, failure)
            }
            skipSpace(andLines: false)
            guard peek == nil || take("\n") || take("\r") else {
                throw malformed("a line has something after its value")
            }
        }
    }

    /// Notes the current line for a path and those above it that have none.
    private mutating func note(_ path: [String]) {
        let line = line
        counted = (position, line)
        for count in 1...max(1, path.count) where lines[Array(path.prefix(count))] == nil {
            lines[Array(path.prefix(count))] = line
        }
    }

    // MARK: Tables

    /// Makes the table of a header, or one more of its array.
    private static func open(
        _ path: ArraySlice<String>, isArray: Bool, in object: inout JSONObject, _ failure: Malformed
    ) throws {
        try change(path, in: &object, failure) { value in
            switch (value, isArray) {
            case (nil, true): value = .array([.object()])
            case (.array(let items)?, true): value = .array(items + [.object()])
            case (nil, false): value = .object()
            case (.object?, false): break
            default: throw failure
            }
        }
    }

    private static func set(
        _ new: JSON, at path: ArraySlice<String>, in object: inout JSONObject, _ failure: Malformed
    ) throws {
        try change(path, in: &object, failure) { value in
            guard value == nil else { throw failure }
            value = new
        }
    }

    /// Changes a value below tables, of which those that are not there are made; of an array of tables the last counts.
    private static func change(
        _ path: ArraySlice<String>, in object: inout JSONObject, _ failure: Malformed,
        _ body: (inout JSON?) throws -> Void
    ) throws {
        guard let key = path.first else { throw failure }
        var value = object[key]
        if path.count == 1 {
            try body(&value)
        } else {
            let rest = path.dropFirst()
            switch value {
            case nil:
                var inner = JSONObject()
                try change(rest, in: &inner, failure, body)
                value = .object(inner)
            case .object(var inner)?:
                try change(rest, in: &inner, failure, body)
                value = .object(inner)
            case .array(var items)?:
                guard case .object(var inner)? = items.popLast() else { throw failure }
                try change(rest, in: &inner, failure, body)
                value = .array(items + [.object(inner)])
            default: throw failure
            }
        }
        object[key] = value
    }

    // MARK: Values

    private mutating func value(_ depth: Int) throws -> JSON {
        guard depth < Self.depthLimit else { throw malformed("values are nested too deep") }
        skipSpace(andLines: false)
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string())
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "{"): return try table(depth)
        default:
            let word = self.word()
            if word == "true" || word == "false" { return .bool(word == "true") }
            guard let number = Int64(word.replacing("_", with: "")) else {
                throw malformed("'\(word.printable(limit: 50))' is no string, integer or boolean")
            }
            return .integer(number)
        }
    }

    private mutating func array(_ depth: Int) throws -> JSON {
        position += 1
        var items: [JSON] = []
        while true {
            skipSpace(andLines: true)
            if take("]") { return .array(items) }
            items.append(try value(depth + 1))
            skipSpace(andLines: true)
            guard take(",") || peek == UInt8(ascii: "]") else { throw malformed("an array is not closed") }
        }
    }

    private mutating func table(_ depth: Int) throws -> JSON {
        position += 1
        var object = JSONObject()
        skipSpace(andLines: false)
        if take("}") { return .object(object) }
        while true {
            let key = try keys(until: "=")
            try Self.set(try value(depth + 1), at: key[...], in: &object, malformed("a key is there twice"))
            skipSpace(andLines: false)
            if take("}") { return .object(object) }
            guard take(",") else { throw malformed("a table in braces is not closed") }
        }
    }

    /// A dotted key and what ends it.
    private mutating func keys(until end: Unicode.Scalar) throws -> [String] {
        var keys: [String] = []
        while true {
            skipSpace(andLines: false)
            let isQuoted = peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'")
            let key = isQuoted ? try string() : word()
            guard isQuoted || !key.isEmpty else { throw malformed("a key is missing") }
            keys.append(key)
            skipSpace(andLines: false)
            if take(end) { return keys }
            guard take("."), keys.count < Self.depthLimit else { throw malformed("a key is not followed by \(end)") }
        }
    }

    /// Letters, digits, dashes, underscores and signs.
    private mutating func word() -> String {
        let start = position
        while let byte = peek, byte > 0x20, !".=[]{},#\"'".utf8.contains(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws -> String {
        let quote = bytes[position]
        let isLong = bytes[position...].starts(with: [quote, quote, quote])
        position += isLong ? 3 : 1
        // A line break at once is no part of a long string.
        if isLong, take("\r") || peek == UInt8(ascii: "\n") { _ = take("\n") }
        var value: [UInt8] = []
        while let byte = peek {
            if byte == quote, !isLong || bytes[position...].starts(with: [quote, quote, quote]) {
                position += isLong ? 3 : 1
                return String(decoding: value, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\n"), !isLong { break }
            position += 1
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                value += try escape()
            } else {
                value.append(byte)
            }
        }
        throw malformed("a string is not closed")
    }

    private mutating func escape() throws -> [UInt8] {
        guard let byte = peek else { throw malformed("a string is not closed") }
        position += 1
        switch Character(Unicode.Scalar(byte)) {
        case "\"", "\\": return [byte]
        case "n": return [0x0a]
        case "t": return [0x09]
        case "r": return [0x0d]
        case "b": return [0x08]
        case "f": return [0x0c]
        case "u", "U":
            let length = byte == UInt8(ascii: "u") ? 4 : 8
            let digits = String(decoding: bytes[position...].prefix(length), as: UTF8.self)
            guard digits.utf8.count == length, let number = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(number)
            else { throw malformed("an escape is no character") }
            position += length
            return Array(String(Character(scalar)).utf8)
        default: throw malformed("\\\(Unicode.Scalar(byte)) is no escape")
        }
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Skips blanks and comments.
    private mutating func skipSpace(andLines: Bool) {
        while let byte = peek {
            if byte == UInt8(ascii: "#") {
                while let byte = peek, byte != UInt8(ascii: "\n") { position += 1 }
            } else if byte == 0x20 || byte == 0x09 || andLines && (byte == 0x0a || byte == 0x0d) {
                position += 1
            } else {
                return
            }
        }
    }

    private var line: Int {
        counted.line + bytes[counted.position..<position].count { $0 == UInt8(ascii: "\n") }
    }

    private func malformed(_ reason: String) -> Malformed { Malformed(line: line, reason: reason) }
}
