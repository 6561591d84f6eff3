import COpenSSL

/// Computes a ``Digest`` over bytes given piece by piece.
@safe
package struct DigestHasher: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("OpenSSL has no SHA-256")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { _ = unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    package mutating func update(_ text: String) {
        update(Array(text.utf8).span)
    }

    package consuming func finish() -> Digest {
        Digest(sha256: finishBytes())
    }

    /// The 32 bytes of the hash.
    package consuming func finishBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        unsafe bytes.withUnsafeMutableBufferPointer { _ = unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil) }
        return bytes
    }
}

extension Digest {
    /// The digest of bytes that are in memory.
    package init(of bytes: [UInt8]) {
        var hasher = DigestHasher()
        hasher.update(bytes.span)
        self = hasher.finish()
    }

    package init(of text: String) {
        self.init(of: Array(text.utf8))
    }
}
