import CCompression

/// The CRC-64 (ECMA-182, reflected) that tells contents apart in a ``FileList``; not proof against forgery.
enum ContentHash {
    static func update(_ hash: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { unsafe crc64_ecma_refl(hash, $0.baseAddress, UInt64($0.count)) }
    }
}

/// The CRC-32 of gzip.
enum GzipChecksum {
    static func update(_ sum: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe crc32_gzip_refl(sum, $0.baseAddress, UInt64($0.count)) }
    }
}
