/// One compiled pattern of an ignore file.
struct IgnorePattern: Sendable {
    private enum Kind {
        /// The whole path.
        case exact([UInt8])

        /// `x/**`: everything that begins so.
        case prefix([UInt8])

        /// `**x`: everything that ends so.
        case suffix([UInt8])

        /// `**/x`: everything whose last components are these.
        case components([UInt8])

        /// `*x`: one component that ends so.
        case componentSuffix([UInt8])
        case general(PathPattern)
    }

    private let kind: Kind

    /// The first and last byte of every match, where there is only one; 256 for any. Together with the least length
    /// they spare most comparisons.
    private let first: UInt16
    private let last: UInt16
    private let leastCount: Int

    /// How every match begins.
    let literalPrefix: [UInt8]

    /// Whether the prefix is all there is.
    let isLiteral: Bool

    /// Texts that every match has in it, each as long as it can be told.
    let literals: [[UInt8]]

    /// Compiles a cleaned pattern.
    ///
    /// The syntax is that of ``Glob`` and `**` for any number of directories. A `**` at the beginning or at the end
    /// matches any text, as in the matcher Docker uses, so `**x` also matches `ax`.
    init(_ text: [UInt8]) throws(DockerfileError) {
        _ = try Glob(text[...])
        let pattern = Self.compile(text)
        let kind = Self.simplify(pattern, text)
        self.kind = kind
        isLiteral = if case .exact = kind { true } else { false }
        literals = pattern.elements.compactMap { if case .literal(let bytes) = $0 { bytes } else { nil } }
        var prefix: [UInt8] = []
        if case .literal(let bytes) = pattern.elements.first { prefix = bytes }
        literalPrefix = prefix
        var suffix: [UInt8] = []
        switch kind {
        case .suffix(let bytes), .components(let bytes): suffix = bytes
        default: if case .literal(let bytes) = pattern.elements.last { suffix = bytes }
        }
        first = prefix.first.map { UInt16($0) } ?? 256
        last = suffix.last.map { UInt16($0) } ?? 256
        leastCount = max(prefix.count, suffix.count)
    }

    /// Whether the first `count` bytes of `path`, at least one, match.
    @inline(__always)
    func matches(_ path: [UInt8], count: Int, first head: UInt8, last tail: UInt8) -> Bool {
        if count < leastCount || first < 256 && first != head || last < 256 && last != tail { return false }
        return matchesFully(path, count: count)
    }

    private func matchesFully(_ path: [UInt8], count: Int) -> Bool {
        switch kind {
        case .exact(let bytes): return bytes.count == count && path.starts(with: bytes)
        case .prefix(let bytes): return path.starts(with: bytes)
        case .suffix(let bytes): return path[(count - bytes.count)..<count].elementsEqual(bytes)
        case .components(let bytes):
            let start = count - bytes.count
            guard path[start..<count].elementsEqual(bytes) else { return false }
            return start == 0 || path[start - 1] == UInt8(ascii: "/")
        case .componentSuffix(let bytes):
            let start = count - bytes.count
            return path[start..<count].elementsEqual(bytes) && !path[..<start].contains(UInt8(ascii: "/"))
        case .general(let pattern):
            guard path.starts(with: literalPrefix) else { return false }
            return pattern.matches(path, count: count)
        }
    }

    private static func compile(_ text: [UInt8]) -> PathPattern {
        var pattern = PathPattern()
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                guard rest.first == UInt8(ascii: "*") else {
                    pattern.append(.run)
                    continue
                }
                rest.removeFirst()
                if rest.first == UInt8(ascii: "/") { rest.removeFirst() }
                pattern.append(rest.isEmpty ? .anything : .directories)
            case UInt8(ascii: "?"): pattern.append(.one)
            case UInt8(ascii: "["):
                // The pattern was checked, so there is a set.
                if let set = ScalarSet(&rest) { pattern.append(.set(set)) }
            case UInt8(ascii: "\\"):
                if let escaped = rest.popFirst() { pattern.append(literal: escaped) }
            default: pattern.append(literal: byte)
            }
        }
        return pattern
    }

    private static func simplify(_ pattern: PathPattern, _ text: [UInt8]) -> Kind {
        let elements = pattern.elements
        switch elements.count {
        case 0: return .exact([])
        case 1:
            if case .literal(let bytes) = elements[0] { return .exact(bytes) }
            if elements[0] == .anything { return .prefix([]) }
        case 2:
            guard case .literal(let bytes) = elements[1] else {
                if case .literal(let bytes) = elements[0], elements[1] == .anything { return .prefix(bytes) }
                break
            }
            if elements[0] == .run && !bytes.contains(UInt8(ascii: "/")) { return .componentSuffix(bytes) }
            // An escape sends the matcher Docker uses to its strict path, where `**` ends at a slash.
            if elements[0] == .directories && !text.contains(UInt8(ascii: "\\")) {
                return text.starts(with: "**/".utf8) ? .components(bytes) : .suffix(bytes)
            }
        case 3:
            if elements[0] == .directories, elements[1] == .run, case .literal(let bytes) = elements[2],
                !bytes.contains(UInt8(ascii: "/"))
            {
                return .suffix(bytes)
            }
        default: break
        }
        return .general(pattern)
    }
}
