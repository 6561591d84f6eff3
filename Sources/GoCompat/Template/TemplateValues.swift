import OCI

/// How Go's templates see a value.
extension JSON {
    /// Whether a condition holds: everything but empty values, zero and nothing.
    var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let text): Double(text) != 0
        case .string(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object(let object): !object.isEmpty
        }
    }

    /// The value as Go prints it: `[a b]`, `map[k:v]`.
    var goText: String {
        switch self {
        case .null: "<nil>"
        case .bool(let value): value ? "true" : "false"
        case .number(let text), .string(let text): text
        case .array(let items): "[\(items.map(\.goText).joined(separator: " "))]"
        case .object(let object):
            "map[\(object.sorted().members.map { "\($0.key):\($0.value.goText)" }.joined(separator: " "))]"
        }
    }

    /// The text of a list, or of a map of lists, whose objects are structures with these fields: `[{a b}]`.
    func goText(fields: [String]) -> String {
        switch self {
        case .array(let items):
            let texts = items.map { item in
                guard let object = item.object else { return item.goText }
                return "{\(fields.map { object[$0]?.goText ?? "" }.joined(separator: " "))}"
            }
            return "[\(texts.joined(separator: " "))]"
        case .object(let object):
            let texts = object.sorted().members.map { "\($0.key):\($0.value.goText(fields: fields))" }
            return "map[\(texts.joined(separator: " "))]"
        default: return goText
        }
    }

    /// The name of its type in messages.
    var goType: String {
        switch self {
        case .null: "nil"
        case .bool: "bool"
        case .number: integer == nil ? "float64" : "int"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    /// A number of any form.
    var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
}
