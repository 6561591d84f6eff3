/// Message authentication with SHA-256.
///
/// Source: RFC 2104.
package enum HMAC {
    /// The 32 bytes that prove that who knows the key wrote the message.
    package static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        let blockSize = 64
        var block = key.count > blockSize ? hash([key]) : key
        block += [UInt8](repeating: 0, count: blockSize - block.count)
        let inner = hash([block.map { $0 ^ 0x36 }, message])
        return hash([block.map { $0 ^ 0x5c }, inner])
    }

    private static func hash(_ parts: [[UInt8]]) -> [UInt8] {
        var hasher = DigestHasher()
        for part in parts { hasher.update(part.span) }
        return hasher.finishBytes()
    }
}
