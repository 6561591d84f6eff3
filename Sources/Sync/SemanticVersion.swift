/// A version of three numbers, as a tag has it.
///
/// Source: https://semver.org, version 2; as in most programs that read tags, a `v` may stand before it, and the last
/// numbers may be missing.
package struct SemanticVersion: Hashable, Sendable {
    package let major: UInt64
    package let minor: UInt64
    package let patch: UInt64
    /// The identifiers of a pre-release; empty for a release.
    package let prerelease: [Substring]

    package init(major: UInt64, minor: UInt64 = 0, patch: UInt64 = 0, prerelease: [Substring] = []) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
    }

    /// Parses a tag; `nil` for one that is no version.
    package init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        if rest.first == "v" { rest.removeFirst() }
        if let plus = rest.firstIndex(of: "+") {
            guard Self.areIdentifiers(rest[rest.index(after: plus)...]) else { return nil }
            rest = rest[..<plus]
        }
        var prerelease: [Substring] = []
        if let dash = rest.firstIndex(of: "-") {
            let tail = rest[rest.index(after: dash)...]
            guard Self.areIdentifiers(tail) else { return nil }
            prerelease = tail.split(separator: ".")
            rest = rest[..<dash]
        }
        let texts = rest.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = texts.compactMap(Self.number)
        guard (1...3).contains(texts.count), numbers.count == texts.count else { return nil }
        self.init(
            major: numbers[0], minor: numbers.count > 1 ? numbers[1] : 0, patch: numbers.count > 2 ? numbers[2] : 0,
            prerelease: prerelease)
    }

    static func number(_ text: Substring) -> UInt64? {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
    }

    private static func areIdentifiers(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { identifier in
            !identifier.isEmpty
                && identifier.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                        || byte == UInt8(ascii: "-")
                }
        }
    }
}

extension SemanticVersion: Comparable {
    package static func < (one: SemanticVersion, other: SemanticVersion) -> Bool {
        let (left, right) = ([one.major, one.minor, one.patch], [other.major, other.minor, other.patch])
        if left != right { return left.lexicographicallyPrecedes(right) }
        // A release is newer than all that lead to it.
        if one.prerelease.isEmpty || other.prerelease.isEmpty {
            return !one.prerelease.isEmpty && other.prerelease.isEmpty
        }
        for (mine, theirs) in zip(one.prerelease, other.prerelease) where mine != theirs {
            switch (number(mine), number(theirs)) {
            case (let mine?, let theirs?): return mine < theirs
            // Numbers are older than words.
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return mine.utf8.lexicographicallyPrecedes(theirs.utf8)
            }
        }
        return one.prerelease.count < other.prerelease.count
    }
}
