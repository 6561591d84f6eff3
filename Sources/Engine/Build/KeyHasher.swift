import OCI

/// Puts the ingredients of a cache key together so that no two lists of ingredients look alike.
struct KeyHasher: ~Copyable {
    private var hasher = DigestHasher()

    /// `kind` separates the keys of different operations. It ends in a version, to be raised when an operation's
    /// results change.
    init(_ kind: String) { add(kind) }

    mutating func add(_ bytes: [UInt8]) {
        hasher.update("\(bytes.count):")
        hasher.update(bytes.span)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ texts: [String]) {
        hasher.update("[\(texts.count)]")
        for text in texts { add(text) }
    }

    mutating func add(_ text: String?) {
        guard let text else { return hasher.update("-") }
        add(text)
    }

    mutating func add(_ flag: Bool) { hasher.update(flag ? "t" : "f") }

    mutating func add(_ number: some BinaryInteger) { hasher.update("#\(number);") }

    mutating func add(_ digest: Digest) { add(digest.hex) }

    consuming func finish() -> Digest { hasher.finish() }
}
