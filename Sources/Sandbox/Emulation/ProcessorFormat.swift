import Linux

/// How programs for a processor are told by their first bytes, and which emulator runs them.
struct ProcessorFormat: Sendable {
    /// As image configs name it.
    let architecture: String
    /// The emulator is `qemu-NAME-static` or `qemu-NAME`.
    let emulator: String
    let is64Bit: Bool
    let isBigEndian: Bool
    /// `e_machine` of the ELF header.
    let machine: UInt16
    /// `e_flags` of ``probe``.
    let flags: UInt32
    /// The instructions of a program that ends with status 0.
    let exit: [UInt8]

    static let all: [ProcessorFormat] = [
        little("amd64", "x86_64", 62, [0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05]),
        little("arm64", "aarch64", 183, words(0xd280_0000, 0xd280_0ba8, 0xd400_0001)),
        ProcessorFormat(
            architecture: "arm", emulator: "arm", is64Bit: false, isBigEndian: false, machine: 40, flags: 0x0500_0000,
            exit: words(0xe3a0_0000, 0xe3a0_7001, 0xef00_0000)),
        ProcessorFormat(
            architecture: "386", emulator: "i386", is64Bit: false, isBigEndian: false, machine: 3, flags: 0,
            exit: [0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80]),
        little("riscv64", "riscv64", 243, words(0x0000_0513, 0x05d0_0893, 0x0000_0073)),
        little("ppc64le", "ppc64le", 21, words(0x3860_0000, 0x3800_0001, 0x4400_0002), flags: 2),
        ProcessorFormat(
            architecture: "s390x", emulator: "s390x", is64Bit: true, isBigEndian: true, machine: 22, flags: 0,
            exit: [0xa7, 0x29, 0, 0, 0x0a, 1]),
        little("mips64le", "mips64el", 8, words(0x2402_13c2, 0x2404_0000, 0x0000_000c), flags: 0x8000_0000),
        little("loong64", "loongarch64", 258, words(0x0380_0004, 0x0381_740b, 0x002b_0000), flags: 0x43),
    ]

    static func format(of architecture: String) -> ProcessorFormat? { all.first { $0.architecture == architecture } }

    private static func little(
        _ architecture: String, _ emulator: String, _ machine: UInt16, _ exit: [UInt8], flags: UInt32 = 0
    ) -> ProcessorFormat {
        ProcessorFormat(
            architecture: architecture, emulator: emulator, is64Bit: true, isBigEndian: false, machine: machine,
            flags: flags, exit: exit)
    }

    private static func words(_ words: UInt32...) -> [UInt8] { words.flatMap { bytes(UInt64($0), 4) } }

    private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    private func field(_ value: UInt64, _ count: Int) -> [UInt8] {
        let bytes = Self.bytes(value, count)
        return isBigEndian ? bytes.reversed() : bytes
    }

    // MARK: The program

    /// The first bytes of a program.
    private var identification: [UInt8] {
        [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1] + [UInt8](repeating: 0, count: 9)
    }

    /// The smallest program for the processor. It does nothing and succeeds, where the processor is there or emulated.
    var probe: [UInt8] {
        let (address, word) = (UInt64(0x40_0000), is64Bit ? 8 : 4)
        let (headerSize, segmentSize) = is64Bit ? (64, 56) : (52, 32)
        let start = UInt64(headerSize + segmentSize)
        let size = start + UInt64(exit.count)
        var program = identification + field(2, 2) + field(UInt64(machine), 2) + field(1, 4)
        program += field(address + start, word) + field(UInt64(headerSize), word) + field(0, word)
        program += field(UInt64(flags), 4) + field(UInt64(headerSize), 2) + field(UInt64(segmentSize), 2)
        program += field(1, 2) + field(0, 6)
        // One segment with all of the file, to be read and executed.
        let places =
            field(0, word) + field(address, word) + field(address, word) + field(size, word) + field(size, word)
        program += field(1, 4) + (is64Bit ? field(5, 4) + places : places + field(5, 4)) + field(0x1_0000, word)
        return program + exit
    }

    // MARK: The registration

    /// The line that registers an emulator for the processor's programs. The kernel opens the emulator at once (`F`), so
    /// that it need not be in any image; the program keeps its name (`P`) and its set-user-ID bits (`C`).
    ///
    /// Source: Linux, Documentation/admin-guide/binfmt-misc.rst.
    func registration(of path: String) -> String {
        func text(_ bytes: [UInt8]) -> String {
            bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let magic = identification + field(2, 2) + field(UInt64(machine), 2)
        // Any system's ABI, and both kinds of executable files: 2, and 3 for those that can be loaded anywhere.
        var mask = [UInt8](repeating: 0xff, count: 20)
        mask[7] = 0
        mask[isBigEndian ? 17 : 16] = 0xfe
        return ":lamina-\(emulator):M::\(text(magic)):\(text(mask)):\(path):POCF"
    }
}
