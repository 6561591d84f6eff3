/// A JSON document that keeps the order of its keys and every key it does not understand.
///
/// Images are named by the digest of their JSON, so a document must come out as it went in; the standard coders
/// lose key order and unknown keys.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number as written, so that no precision is lost.
    case number(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

/// The members of a JSON object in document order.
///
/// Keys are found by their bytes, in a time that does not depend on their number.
package struct JSONObject: Hashable, Sendable {
    package private(set) var members: [(key: String, value: JSON)] = []
    /// The places of the keys; empty in an object of few members, which is searched.
    private var places: [Key: Int] = [:]

    /// The number of members from which on places are kept.
    private static let searchLimit = 16

    package init() {}

    package init(_ members: [(String, JSON)]) {
        self.members = members.map { (key: $0.0, value: $0.1) }
        indexMembers()
    }

    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    /// The value of a key; setting appends a new key at the end, replaces in place, and removes with `nil`.
    package subscript(key: String) -> JSON? {
        get { place(of: key).map { members[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil):
                members.remove(at: place)
                indexMembers()
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    private func place(of key: String) -> Int? {
        if members.count > Self.searchLimit { return places[Key(text: key)] }
        return members.firstIndex { Key(text: $0.key) == Key(text: key) }
    }

    private mutating func append(_ key: String, _ value: JSON) {
        members.append((key, value))
        if members.count == Self.searchLimit + 1 {
            indexMembers()
        } else if members.count > Self.searchLimit {
            places[Key(text: key)] = members.count - 1
        }
    }

    private mutating func indexMembers() {
        places = [:]
        guard members.count > Self.searchLimit else { return }
        places.reserveCapacity(members.count)
        // Of equal keys the first counts, as in a search.
        for (place, member) in members.enumerated().reversed() { places[Key(text: member.key)] = place }
    }

    /// A key by its bytes: texts that differ in their normal form alone are two keys.
    private struct Key: Hashable {
        let text: String

        static func == (lhs: Key, rhs: Key) -> Bool { lhs.text.utf8.elementsEqual(rhs.text.utf8) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    /// The same members in byte order of their keys.
    package func sorted() -> JSONObject {
        var copy = self
        copy.members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        copy.indexMembers()
        return copy
    }

    package static func == (lhs: JSONObject, rhs: JSONObject) -> Bool {
        lhs.members.elementsEqual(rhs.members) { $0.key == $1.key && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for member in members {
            hasher.combine(member.key)
            hasher.combine(member.value)
        }
    }
}

extension JSON {
    package static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }

    /// An object with the members whose value is not `nil`, in the order given.
    package static func object(_ members: (String, JSON?)...) -> JSON {
        .object(JSONObject(members.compactMap { key, value in value.map { (key, $0) } }))
    }

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    package var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        if let value = Int64(text) { return value }
        // 1e3 and 1.0 are integers too.
        return Double(text).flatMap { Int64(exactly: $0) }
    }

    /// The strings of an array of strings; `nil` if this is anything else.
    package var strings: [String]? {
        guard let array else { return nil }
        let strings = array.compactMap(\.string)
        return strings.count == array.count ? strings : nil
    }

    /// The members of an object whose values are all strings.
    package var stringMap: [(String, String)]? {
        object?.members.compactMap { member in member.value.string.map { (member.key, $0) } }
    }

    package subscript(key: String) -> JSON? { object?[key] }

    /// The list under a key, where `null` is the empty list, as Go writes it; `nil` when there is none or something else.
    package func list(_ key: String) -> [JSON]? {
        guard let value = self[key] else { return nil }
        return value == .null ? [] : value.array
    }
}
