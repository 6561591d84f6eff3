import CYAML
import Diagnostics
package import OCI

/// A reader of one YAML document, by libyaml.
///
/// Scalars are read as strings whatever they look like, so that the tag `1.10` stays what it is; only a plain scalar
/// that is empty, `~` or `null` is null. Keys are strings, and each stands once in its mapping. Anchors and aliases are
/// followed; tags, merge keys and a second document are refused.
///
/// Source: https://yaml.org/spec/1.1.
@safe
package final class YAML {
    /// The number of values that a document may have, with those that aliases repeat.
    private static let valueLimit = 100_000
    private static let depthLimit = 64

    private struct Anchored {
        let value: JSON
        let count: Int
    }

    /// The parser, which holds its own address and so must not move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private var event = unsafe yaml_event_t()
    private var anchors: [String: Anchored] = [:]
    private var count = 0

    private init() throws {
        unsafe parser = .allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            throw YAMLError(.malformed, "there is no memory for a YAML document")
        }
    }

    deinit {
        unsafe yaml_event_delete(&event)
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    /// Reads a document. An empty one is null.
    ///
    /// Throws ``YAMLError``, whose message names the line.
    package static func parse(_ bytes: [UInt8]) throws -> JSON {
        guard bytes.count <= 4 << 20 else { throw YAMLError(.tooLarge, "it is larger than 4 MiB") }
        return try unsafe bytes.withUnsafeBufferPointer { buffer in
            let reader = try YAML()
            unsafe yaml_parser_set_input_string(reader.parser, buffer.baseAddress, buffer.count)
            unsafe yaml_parser_set_encoding(reader.parser, YAML_UTF8_ENCODING)
            return try reader.document()
        }
    }

    // MARK: Events

    private func next() throws -> yaml_event_type_t {
        unsafe yaml_event_delete(&event)
        guard unsafe yaml_parser_parse(parser, &event) == 1 else {
            let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "it is no YAML"
            throw malformed(problem, at: unsafe parser.pointee.problem_mark)
        }
        return unsafe event.type
    }

    private func malformed(_ what: String, at mark: yaml_mark_t? = nil) -> YAMLError {
        let line = unsafe (mark ?? event.start_mark).line
        return YAMLError(.malformed, "line \(line + 1): \(what.printable(limit: 200))")
    }

    private func document() throws -> JSON {
        _ = try next()
        guard try next() == YAML_DOCUMENT_START_EVENT else { return .null }
        let value = try value(after: next(), depth: 0)
        _ = try next()
        guard try next() == YAML_STREAM_END_EVENT else { throw malformed("a second document begins") }
        return value
    }

    // MARK: Values

    private func value(after type: yaml_event_type_t, depth: Int) throws -> JSON {
        guard depth < Self.depthLimit else { throw malformed("it is nested more than \(Self.depthLimit) deep") }
        try spend(1)
        let before = count
        let (anchor, value): (String?, JSON)
        switch type {
        case YAML_ALIAS_EVENT: return try alias()
        case YAML_SCALAR_EVENT: (anchor, value) = try scalar()
        case YAML_SEQUENCE_START_EVENT: (anchor, value) = try sequence(depth)
        case YAML_MAPPING_START_EVENT: (anchor, value) = try mapping(depth)
        default: throw malformed("a value is missing")
        }
        if let anchor { anchors[anchor] = Anchored(value: value, count: count - before + 1) }
        return value
    }

    private func spend(_ values: Int) throws {
        count += values
        guard count <= Self.valueLimit else {
            throw YAMLError(.tooLarge, "it has more than \(Self.valueLimit) values, with those that aliases repeat")
        }
    }

    private func alias() throws -> JSON {
        let name = unsafe Self.text(event.data.alias.anchor) ?? ""
        guard let known = anchors[name] else { throw malformed("there is no anchor '\(name)' before its alias") }
        try spend(known.count)
        return known.value
    }

    private func scalar() throws -> (String?, JSON) {
        let data = unsafe event.data.scalar
        guard unsafe data.tag == nil else { throw malformed("tags are not read") }
        guard let start = unsafe data.value else { return (nil, .null) }
        let bytes = unsafe UnsafeBufferPointer(start: start, count: data.length)
        guard let text = unsafe String(validating: bytes, as: UTF8.self) else { throw malformed("it is not UTF-8") }
        let isPlain = unsafe data.style == YAML_PLAIN_SCALAR_STYLE
        let isNull = isPlain && ["", "~", "null", "Null", "NULL"].contains(text)
        return (unsafe Self.text(data.anchor), isNull ? .null : .string(text))
    }

    private func sequence(_ depth: Int) throws -> (String?, JSON) {
        guard unsafe event.data.sequence_start.tag == nil else { throw malformed("tags are not read") }
        let anchor = unsafe Self.text(event.data.sequence_start.anchor)
        var values: [JSON] = []
        while true {
            let type = try next()
            if type == YAML_SEQUENCE_END_EVENT { return (anchor, .array(values)) }
            values.append(try value(after: type, depth: depth + 1))
        }
    }

    private func mapping(_ depth: Int) throws -> (String?, JSON) {
        guard unsafe event.data.mapping_start.tag == nil else { throw malformed("tags are not read") }
        let anchor = unsafe Self.text(event.data.mapping_start.anchor)
        var object = JSONObject()
        while true {
            let type = try next()
            if type == YAML_MAPPING_END_EVENT { return (anchor, .object(object)) }
            guard type == YAML_SCALAR_EVENT, case .string(let key) = try value(after: type, depth: depth + 1) else {
                throw malformed("a key is no text")
            }
            guard key != "<<" else { throw malformed("merge keys are not read") }
            guard object[key] == nil else { throw malformed("the key '\(key)' stands twice") }
            object[key] = try value(after: next(), depth: depth + 1)
        }
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe bytes.map { unsafe String(cString: $0) }
    }
}
