package import OCI

/// The sum that tells contents apart in a list of files.
package enum ContentSum: String, Hashable, Sendable {
    /// The checksum of ``ContentHash``.
    case checksum
    /// The first eight bytes of the SHA-256, which tables of contents have.
    case digest

    /// The sum of a content with this digest.
    package static func value(of digest: Digest) -> UInt64 { UInt64(digest.hex.prefix(16), radix: 16) ?? 0 }
}

/// Adds up the ``ContentSum/digest`` of a content.
package final class ContentDigest {
    private var hasher: DigestHasher? = DigestHasher()

    package init() {}

    package func update(_ bytes: Span<UInt8>) { hasher?.update(bytes) }

    /// The sum. May be asked for once.
    package func finish() -> UInt64 {
        guard let hasher = hasher.take() else { preconditionFailure("the sum was taken before") }
        return ContentSum.value(of: hasher.finish())
    }
}
