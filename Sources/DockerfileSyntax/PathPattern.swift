/// A compiled path pattern, shared by ``Glob`` and ``IgnoreRules``.
struct PathPattern: Hashable, Sendable {
    enum Element: Hashable, Sendable {
        case literal([UInt8])

        /// `?`: a character other than a slash.
        case one

        /// `*`: characters other than slashes.
        case run
        case set(ScalarSet)

        /// `**/`: nothing, or anything up to a slash.
        case directories

        /// `**` at the end: anything.
        case anything
    }

    private(set) var elements: [Element] = []

    mutating func append(_ element: Element) { elements.append(element) }

    /// Appends to the literal at the end, so that literals are compared in one go.
    mutating func append(literal byte: UInt8) {
        if case .literal(var bytes) = elements.last {
            bytes.append(byte)
            elements[elements.count - 1] = .literal(bytes)
        } else {
            elements.append(.literal([byte]))
        }
    }

    /// Whether the first `count` bytes of `path` match.
    ///
    /// Keeps the set of all places an element may begin at, so the time is at most the product of both lengths.
    func matches(_ path: [UInt8], count: Int) -> Bool {
        var places = [Bool](repeating: false, count: count + 1)
        places[0] = true
        var first = 0
        for element in elements {
            var next = [Bool](repeating: false, count: count + 1)
            advance(element, from: places, first: first, in: path, count: count, to: &next)
            guard let lowest = next[first...].firstIndex(of: true) else { return false }
            first = lowest
            places = next
        }
        return places[count]
    }

    private func advance(
        _ element: Element, from places: [Bool], first: Int, in path: [UInt8], count: Int, to next: inout [Bool]
    ) {
        let slash = UInt8(ascii: "/")
        switch element {
        case .literal(let bytes):
            guard bytes.count <= count - first else { return }
            for place in first...(count - bytes.count) where places[place] {
                next[place + bytes.count] = path[place...].starts(with: bytes)
            }
        case .one:
            for place in first..<count where places[place] && path[place] != slash {
                next[place + Self.scalarLength(path, place, count)] = true
            }
        case .set(let set):
            for place in first..<count where places[place] {
                let length = Self.scalarLength(path, place, count)
                if set.contains(Self.scalar(path, place, length)) { next[place + length] = true }
            }
        case .run:
            var isOpen = false
            for place in first...count {
                isOpen = isOpen || places[place]
                next[place] = isOpen
                if place < count && path[place] == slash { isOpen = false }
            }
        case .directories:
            for place in first...count {
                next[place] = places[place] || (place > first && path[place - 1] == slash)
            }
        case .anything:
            for place in first...count { next[place] = true }
        }
    }

    /// The length of the character at `place`; bytes that are not UTF-8 are characters of their own.
    private static func scalarLength(_ path: [UInt8], _ place: Int, _ count: Int) -> Int {
        if path[place] < 0x80 { return 1 }
        var iterator = path[place..<min(place + 4, count)].makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return 1 }
        return UTF8.width(scalar)
    }

    private static func scalar(_ path: [UInt8], _ place: Int, _ length: Int) -> UInt32 {
        if length == 1 { return path[place] < 0x80 ? UInt32(path[place]) : 0xFFFD }
        return String(decoding: path[place..<(place + length)], as: UTF8.self).unicodeScalars.first?.value ?? 0xFFFD
    }
}

/// The characters in brackets, such as `[a-z]` or `[^.]`. A negated set has the slash too.
struct ScalarSet: Hashable, Sendable {
    private var ranges: [Range<UInt32>] = []
    private let isNegated: Bool

    /// Reads a set from behind its `[` to its `]`, and moves `rest` behind that; `nil` if it is not well formed.
    init?(_ rest: inout Text) {
        isNegated = rest.first == UInt8(ascii: "^")
        if isNegated { rest.removeFirst() }
        while ranges.isEmpty || rest.first != UInt8(ascii: "]") {
            guard let low = Self.bound(&rest) else { return nil }
            var high = low
            if rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
                guard let bound = Self.bound(&rest) else { return nil }
                high = bound
            }
            ranges.append(low..<max(low, high + 1))
        }
        rest.removeFirst()
    }

    func contains(_ scalar: UInt32) -> Bool {
        ranges.contains { $0.contains(scalar) } != isNegated
    }

    private static func bound(_ rest: inout Text) -> UInt32? {
        guard let first = rest.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "]") else { return nil }
        if first == UInt8(ascii: "\\") { rest.removeFirst() }
        var decoder = UTF8()
        var iterator = rest.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        rest = rest.dropFirst(UTF8.width(scalar))
        return scalar.value
    }
}
