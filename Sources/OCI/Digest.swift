package import Diagnostics

/// The name of a blob: the SHA-256 of its bytes.
///
/// Source: OCI image-spec, descriptor.md, "Digests". Only `sha256` is supported; it is the one algorithm that
/// every registry and every image in the field uses.
package struct Digest: Hashable, Sendable {
    /// The hash as 64 lower-case hexadecimal digits.
    package let hex: String

    /// Parses `sha256:<64 lower-case hex digits>`.
    package init(parsing text: some StringProtocol) throws(DigestError) {
        // Stores have many digests: they are read as bytes.
        let bytes = Array(text.utf8)
        guard bytes.count == 71, bytes.starts(with: "sha256:".utf8), bytes[7...].allSatisfy(\.isLowerHexDigit) else {
            throw DigestError(
                .malformed, "'\(text)' is not a digest", hint: "Write it as sha256:<64 lower-case hex digits>.")
        }
        hex = String(decoding: bytes[7...], as: UTF8.self)
    }

    /// Wraps a finished SHA-256 of 32 bytes.
    package init(sha256 bytes: [UInt8]) {
        func digit(_ value: UInt8) -> UInt8 { value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        hex = String(decoding: digits, as: UTF8.self)
    }

    /// The first 12 hexadecimal digits: what tables show.
    package var short: String { String(hex.prefix(12)) }
}

extension Digest: CustomStringConvertible {
    package var description: String { "sha256:\(hex)" }
}

extension Digest: Comparable {
    package static func < (lhs: Digest, rhs: Digest) -> Bool { lhs.hex < rhs.hex }
}

/// Errors of digests.
package enum DigestCode: String, FailureCode { case malformed = "digest.malformed" }
package typealias DigestError = Failure<DigestCode>

extension UInt8 {
    fileprivate var isLowerHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
