package import SystemPackage

/// Facts about files that hold programs.
package enum ExecutableFile {
    /// Whether a file is an ELF program for 64 bits that needs no interpreter, and so no file besides itself.
    package static func isStatic(_ path: FilePath) -> Bool {
        guard let file = try? OwnedDescriptor.open(path) else { return false }
        var header = [UInt8](repeating: 0, count: 4096)
        guard let count = try? file.read(into: &header), count >= 64,
            header.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2])
        else { return false }
        func number(_ offset: Int, _ size: Int) -> Int {
            (0..<size).reversed().reduce(0) { $0 << 8 | Int(header[offset + $1]) }
        }
        // The offset of the program headers, read as 32 bits, their size and their number; type 3 is the interpreter.
        let (start, size, entries) = (number(32, 4), number(54, 2), number(56, 2))
        guard number(36, 4) == 0, start >= 64, start <= count, size > 0, entries > 0, size * entries <= count - start
        else { return false }
        return (0..<entries).allSatisfy { number(start + size * $0, 4) != 3 }
    }
}
