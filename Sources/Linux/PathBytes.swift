import Glibc

/// A file name or a path as the kernel has it: bytes, not text.
///
/// Two names are equal when their bytes are; `String` would call canonically equivalent names equal and repair those
/// that are not UTF-8.
package struct PathBytes: Hashable, Sendable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

    package init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }

    /// For messages: bytes that are not UTF-8 appear as U+FFFD.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The non-empty components between slashes.
    package var components: [PathBytes] {
        bytes.split(separator: UInt8(ascii: "/")).map { PathBytes($0) }
    }

    /// The last component; empty for the empty path.
    package var lastComponent: PathBytes {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return PathBytes(bytes[(slash + 1)...])
    }

    /// The part before the last slash; empty when there is none.
    package var parent: PathBytes {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return PathBytes([UInt8]()) }
        return PathBytes(bytes[..<slash])
    }

    /// `self/name`, or the one that is not empty.
    package func appending(_ name: PathBytes) -> PathBytes {
        guard !bytes.isEmpty, !name.isEmpty else { return bytes.isEmpty ? name : self }
        var joined = bytes
        joined.reserveCapacity(bytes.count + 1 + name.bytes.count)
        joined.append(UInt8(ascii: "/"))
        joined.append(contentsOf: name.bytes)
        return PathBytes(joined)
    }

    /// Whether this path is `ancestor` or lies below it; every path is below the empty one.
    package func isWithin(_ ancestor: PathBytes) -> Bool {
        guard !ancestor.isEmpty else { return true }
        guard bytes.count >= ancestor.bytes.count, order(of: ancestor, upTo: ancestor.bytes.count) == 0 else {
            return false
        }
        return bytes.count == ancestor.bytes.count || bytes[ancestor.bytes.count] == UInt8(ascii: "/")
    }

    package func hasPrefix(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }

    /// Calls `body` with the path as a C string.
    @discardableResult
    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        var terminated = bytes
        terminated.append(0)
        return try unsafe terminated.withUnsafeBytes { buffer in
            // The array has at least its terminator, so it has a base address.
            try unsafe buffer.withMemoryRebound(to: CChar.self) { chars in
                guard let base = chars.baseAddress else { return try unsafe body("") }
                return try unsafe body(base)
            }
        }
    }
}

/// Comparisons and hashing of whole paths at once: an array would go byte by byte, which is felt in large images.
extension PathBytes {
    /// How the first bytes of two paths compare, as `memcmp(3)` says it. Both have at least `count` bytes.
    private func order(of other: PathBytes, upTo count: Int) -> CInt {
        unsafe bytes.withUnsafeBytes { left in
            unsafe other.bytes.withUnsafeBytes { right in
                guard count > 0, let left = left.baseAddress, let right = right.baseAddress else { return 0 }
                return unsafe memcmp(left, right, count)
            }
        }
    }

    package static func == (lhs: PathBytes, rhs: PathBytes) -> Bool {
        lhs.bytes.count == rhs.bytes.count && lhs.order(of: rhs, upTo: lhs.bytes.count) == 0
    }

    package func hash(into hasher: inout Hasher) {
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        hasher.combine(UInt8(0xff))
    }
}

extension PathBytes: Comparable {
    package static func < (lhs: PathBytes, rhs: PathBytes) -> Bool {
        let order = lhs.order(of: rhs, upTo: min(lhs.bytes.count, rhs.bytes.count))
        return order == 0 ? lhs.bytes.count < rhs.bytes.count : order < 0
    }
}

extension PathBytes: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension PathBytes: CustomStringConvertible {
    package var description: String { text }
}
