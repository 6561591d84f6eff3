import CCompression

/// The CRC-64 (ECMA-182, reflected) that tells contents apart in a ``FileList``; not proof against forgery.
package enum ContentHash {
    package static func update(_ hash: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { unsafe crc64_ecma_refl(hash, $0.baseAddress, UInt64($0.count)) }
    }

    /// Adds zeros, as in a hole of a file. The time grows with the number of digits of the count, not with the count.
    static func update(_ hash: UInt64, zeros count: Int64) -> UInt64 {
        guard count > 0 else { return hash }
        var register = ~hash
        for (bit, step) in zeroSteps.enumerated() where count >> Int64(bit) & 1 == 1 {
            register = apply(step, to: register)
        }
        return ~register
    }

    /// A zero byte changes the register by a linear map, given by the images of its 64 bits. These are that map and its
    /// repetitions, each twice as often as the one before it.
    private static let zeroSteps: [[UInt64]] = {
        let polynomial: UInt64 = 0xc96c_5795_d787_0f42
        let byte = (0..<64).map { bit -> UInt64 in
            (0..<8).reduce(1 << UInt64(bit)) { value, _ in value >> 1 ^ (value & 1 == 1 ? polynomial : 0) }
        }
        var steps = [byte]
        while steps.count < 63 {
            let last = steps[steps.count - 1]
            steps.append(last.map { apply(last, to: $0) })
        }
        return steps
    }()

    private static func apply(_ map: [UInt64], to register: UInt64) -> UInt64 {
        var (result, rest): (UInt64, UInt64) = (0, register)
        while rest != 0 {
            result ^= map[rest.trailingZeroBitCount]
            rest &= rest - 1
        }
        return result
    }
}

/// The CRC-32 of gzip.
enum GzipChecksum {
    package static func update(_ sum: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe crc32_gzip_refl(sum, $0.baseAddress, UInt64($0.count)) }
    }
}
