package import OCI

/// Puts the ingredients of a cache key together so that no two lists of ingredients look alike.
///
/// Ingredients added under a name are kept for explanations, too; ``note(_:_:)`` keeps more than is hashed, or other
/// words for it.
package struct KeyHasher: ~Copyable {
    private var hasher = DigestHasher()
    /// The bytes still to be hashed: the ingredients are many and small.
    private var pending: [UInt8] = []
    package private(set) var ingredients: KeyIngredients
    /// The files that were hashed, for those keys that are made from files.
    package var files: FileListing?

    /// `kind` separates the keys of different operations. It ends in a version, to be raised when an operation's
    /// results change.
    package init(_ kind: String) {
        ingredients = KeyIngredients(kind: kind)
        add(kind)
    }

    package mutating func add(_ bytes: [UInt8]) {
        append(decimal: UInt64(bytes.count))
        append(":")
        if bytes.count > Self.pendingLimit {
            flush()
            hasher.update(bytes.span)
        } else {
            pending += bytes
            if pending.count > Self.pendingLimit { flush() }
        }
    }

    package mutating func add(_ text: String, as part: KeyPart? = nil) {
        add(Array(text.utf8))
        if let part { note(part, text) }
    }

    package mutating func add(_ texts: [String], as part: KeyPart? = nil) {
        append("[")
        append(decimal: UInt64(texts.count))
        append("]")
        for text in texts { add(text) }
        if let part { note(part, texts) }
    }

    package mutating func add(_ text: String?, as part: KeyPart? = nil) {
        if let part { note(part, text) }
        guard let text else { return append("-") }
        add(text)
    }

    package mutating func add(_ flag: Bool) { append(flag ? "t" : "f") }

    package mutating func add(_ number: some BinaryInteger) {
        append("#")
        if number < 0 { append("-") }
        append(decimal: UInt64(number.magnitude))
        append(";")
    }

    package mutating func add(_ digest: Digest, as part: KeyPart? = nil) { add(digest.hex, as: part) }

    /// Keeps a value for explanations that is hashed in another form, or not at all.
    package mutating func note(_ part: KeyPart, _ text: String?) {
        ingredients.add(part, text.map { .string($0) } ?? .null)
    }

    package mutating func note(_ part: KeyPart, _ texts: [String?]) {
        ingredients.add(part, .array(texts.map { $0.map { .string($0) } ?? .null }))
    }

    package consuming func finish() -> Digest {
        flush()
        return hasher.finish()
    }

    // MARK: Pending bytes

    private static let pendingLimit = 16 << 10

    private mutating func flush() {
        var bytes: [UInt8] = []
        swap(&bytes, &pending)
        hasher.update(bytes.span)
        bytes.removeAll(keepingCapacity: true)
        swap(&bytes, &pending)
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { unsafe pending.append(contentsOf: $0) }
    }

    private mutating func append(decimal value: UInt64) {
        let start = pending.count
        var rest = value
        repeat {
            pending.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        pending[start...].reverse()
    }
}
