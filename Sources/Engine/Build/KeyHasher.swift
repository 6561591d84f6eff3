import OCI

/// Puts the ingredients of a cache key together so that no two lists of ingredients look alike.
///
/// What is added under a name is kept for explanations, too; ``note(_:_:)`` keeps more than is hashed, or other words
/// for it.
struct KeyHasher: ~Copyable {
    private var hasher = DigestHasher()
    private(set) var ingredients: KeyIngredients
    /// The files that were hashed, for those keys that are made from files.
    var files: FileListing?

    /// `kind` separates the keys of different operations. It ends in a version, to be raised when an operation's
    /// results change.
    init(_ kind: String) {
        ingredients = KeyIngredients(kind: kind)
        add(kind)
    }

    mutating func add(_ bytes: [UInt8]) {
        hasher.update("\(bytes.count):")
        hasher.update(bytes.span)
    }

    mutating func add(_ text: String, as part: KeyPart? = nil) {
        add(Array(text.utf8))
        if let part { note(part, text) }
    }

    mutating func add(_ texts: [String], as part: KeyPart? = nil) {
        hasher.update("[\(texts.count)]")
        for text in texts { add(text) }
        if let part { note(part, texts) }
    }

    mutating func add(_ text: String?, as part: KeyPart? = nil) {
        if let part { note(part, text) }
        guard let text else { return hasher.update("-") }
        add(text)
    }

    mutating func add(_ flag: Bool) { hasher.update(flag ? "t" : "f") }

    mutating func add(_ number: some BinaryInteger) { hasher.update("#\(number);") }

    mutating func add(_ digest: Digest, as part: KeyPart? = nil) { add(digest.hex, as: part) }

    /// Keeps a value for explanations that is hashed in another form, or not at all.
    mutating func note(_ part: KeyPart, _ text: String?) { ingredients.add(part, text.map { .string($0) } ?? .null) }

    mutating func note(_ part: KeyPart, _ texts: [String?]) {
        ingredients.add(part, .array(texts.map { $0.map { .string($0) } ?? .null }))
    }

    consuming func finish() -> Digest { hasher.finish() }
}
