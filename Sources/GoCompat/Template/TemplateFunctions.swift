import OCI

/// The functions templates can call: those of Go's `text/template` that make sense here, and docker's own.
enum TemplateFunctions {
    /// Why a call failed.
    struct Problem: Error {
        let message: String
    }

    static let names: Set<String> = [
        "and", "or", "not", "len", "index", "slice", "print", "println", "printf", "eq", "ne", "lt", "le", "gt", "ge",
        "json", "upper", "lower", "title", "split", "join", "pad", "truncate",
    ]

    /// Functions that are not applied to the headings of a table.
    static let leavesHeaderAlone: Set<String> = [
        "json", "split", "join", "title", "lower", "upper", "truncate", "slice",
    ]

    static func call(_ name: String, _ arguments: [JSON]) throws(Problem) -> JSON {
        switch name {
        case "not": return .bool(!(try exactly(1, arguments)[0].isTrue))
        case "len": return .integer(try length(of: exactly(1, arguments)[0]))
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "print": return .string(spaced(arguments))
        case "println": return .string(arguments.map(\.goText).joined(separator: " ") + "\n")
        case "printf":
            guard let format = arguments.first else { throw Problem(message: "wrong number of args: want at least 1") }
            return .string(GoPrintf.format(try string(format), arguments.dropFirst()))
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try compare(name, arguments))
        case "json": return .string(GoTemplate.json(try exactly(1, arguments)[0]))
        default: return try callText(name, arguments)
        }
    }

    /// Docker's functions on strings.
    private static func callText(_ name: String, _ arguments: [JSON]) throws(Problem) -> JSON {
        switch name {
        case "upper": return .string(try string(exactly(1, arguments)[0]).uppercased())
        case "lower": return .string(try string(exactly(1, arguments)[0]).lowercased())
        case "title": return .string(title(try string(exactly(1, arguments)[0])))
        case "split":
            let pair = try exactly(2, arguments)
            return .array(split(try string(pair[0]), by: try string(pair[1])).map { .string($0) })
        case "join":
            let pair = try exactly(2, arguments)
            guard let strings = pair[0].strings else { throw wrongType(pair[0], "[]string") }
            return .string(strings.joined(separator: try string(pair[1])))
        case "pad":
            let triple = try exactly(3, arguments)
            let text = try string(triple[0])
            let (before, after) = (try integer(triple[1]), try integer(triple[2]))
            guard !text.isEmpty else { return .string("") }
            func spaces(_ count: Int) -> String { String(repeating: " ", count: min(max(0, count), 1000)) }
            return .string(spaces(before) + text + spaces(after))
        default:
            let pair = try exactly(2, arguments)
            return .string(String(try string(pair[0]).prefix(max(0, try integer(pair[1])))))
        }
    }

    // MARK: Arguments

    private static func exactly(_ count: Int, _ arguments: [JSON]) throws(Problem) -> [JSON] {
        guard arguments.count == count else {
            throw Problem(message: "wrong number of args: want \(count) got \(arguments.count)")
        }
        return arguments
    }

    private static func string(_ value: JSON) throws(Problem) -> String {
        guard let text = value.string else { throw wrongType(value, "string") }
        return text
    }

    private static func integer(_ value: JSON) throws(Problem) -> Int {
        guard let number = value.integer else { throw wrongType(value, "int") }
        return Int(number)
    }

    private static func wrongType(_ value: JSON, _ expected: String) -> Problem {
        Problem(message: "wrong type for value; expected \(expected); got \(value.goType)")
    }

    // MARK: Functions

    private static func length(of value: JSON) throws(Problem) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .array(let items): items.count
        case .object(let object): object.members.count
        default: throw Problem(message: "len of type \(value.goType)")
        }
    }

    private static func index(_ arguments: [JSON]) throws(Problem) -> JSON {
        guard var value = arguments.first else { throw Problem(message: "wrong number of args: want at least 1 got 0") }
        for key in arguments.dropFirst() {
            switch value {
            case .object(let object):
                let name = try string(key)
                // A map of strings, such as labels, has an empty string where there is no entry.
                value = object[name] ?? (object.members.allSatisfy { $0.value.string != nil } ? .string("") : .null)
            case .array(let items):
                let position = try integer(key)
                guard items.indices.contains(position) else {
                    throw Problem(message: "index out of range: \(position)")
                }
                value = items[position]
            case .null where key.string != nil: value = .string("")
            case .null: throw Problem(message: "index of untyped nil")
            default: throw Problem(message: "can't index item of type \(value.goType)")
            }
        }
        return value
    }

    private static func slice(_ arguments: [JSON]) throws(Problem) -> JSON {
        guard let value = arguments.first, arguments.count <= 3 else {
            throw Problem(message: "wrong number of args: want 1 to 3 got \(arguments.count)")
        }
        let count = try length(of: value)
        let low = arguments.count > 1 ? try integer(arguments[1]) : 0
        let high = arguments.count > 2 ? try integer(arguments[2]) : count
        guard low >= 0, low <= high, high <= count else {
            throw Problem(message: "index out of range: \(low > count || low < 0 ? low : high)")
        }
        switch value {
        case .string(let text): return .string(String(decoding: Array(text.utf8)[low..<high], as: UTF8.self))
        case .array(let items): return .array(Array(items[low..<high]))
        default: throw Problem(message: "can't slice item of type \(value.goType)")
        }
    }

    /// Go's `print`: spaces only between values that are both not strings.
    private static func spaced(_ arguments: [JSON]) -> String {
        var text = ""
        for (position, value) in arguments.enumerated() {
            if position > 0, value.string == nil, arguments[position - 1].string == nil { text += " " }
            text += value.goText
        }
        return text
    }

    private static func title(_ text: String) -> String {
        var result = ""
        var isInWord = false
        for character in text {
            result += isInWord ? String(character) : character.uppercased()
            isInWord = character.isLetter || character.isNumber || character == "_" || character == "'"
        }
        return result
    }

    private static func split(_ text: String, by separator: String) -> [String] {
        guard !separator.isEmpty else { return text.map(String.init) }
        let (bytes, mark) = (Array(text.utf8), Array(separator.utf8))
        var parts: [String] = []
        var start = 0
        var position = 0
        while position + mark.count <= bytes.count {
            if bytes[position..<position + mark.count].elementsEqual(mark) {
                parts.append(String(decoding: bytes[start..<position], as: UTF8.self))
                position += mark.count
                start = position
            } else {
                position += 1
            }
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    private static func compare(_ name: String, _ arguments: [JSON]) throws(Problem) -> Bool {
        guard let first = arguments.first, arguments.count >= 2, name == "eq" || arguments.count == 2 else {
            throw Problem(message: "wrong number of args for \(name): got \(arguments.count)")
        }
        if name == "eq" || name == "ne" {
            for other in arguments.dropFirst() where try equal(first, other) { return name == "eq" }
            return name == "ne"
        }
        let isLess = try less(first, arguments[1])
        switch name {
        case "lt": return isLess
        case "ge": return !isLess
        case "le": return try !less(arguments[1], first)
        default: return try less(arguments[1], first)
        }
    }

    private static func equal(_ a: JSON, _ b: JSON) throws(Problem) -> Bool {
        if let a = a.double, let b = b.double { return a == b }
        switch (a, b) {
        case (.null, _), (_, .null), (.bool, .bool), (.string, .string): return a == b
        default: throw Problem(message: "incompatible types for comparison")
        }
    }

    private static func less(_ a: JSON, _ b: JSON) throws(Problem) -> Bool {
        if let a = a.double, let b = b.double { return a < b }
        guard let a = a.string, let b = b.string else {
            throw Problem(message: "incompatible types for comparison")
        }
        return a.utf8.lexicographicallyPrecedes(b.utf8)
    }
}
