/// The sections of an ELF file that `strip` removes: symbols and debug information.
///
/// Source: the System V ABI, chapter 4; `strip` of GNU binutils.
struct ProgramSymbols {
    /// The bytes at the beginning of a file that are needed.
    static let headLength = 64
    /// The bytes at the end of a file that hold its headers of sections and their names, as linkers write them.
    static let tailLength = 1 << 20

    /// The bytes by which the file gets smaller; 0 for a program that is stripped.
    let size: Int64

    /// `nil` for what is no ELF file of 64 bits in the order of bytes of x86, or one whose headers are not at its end.
    init?(head: [UInt8], tail: [UInt8], fileSize: Int64) {
        let start = fileSize - Int64(tail.count)
        guard head.count >= Self.headLength, head.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]),
            let table = Int64(exactly: Self.number(head, 40, 8)), table >= start, table < fileSize
        else { return nil }
        let (length, count) = (Int(Self.number(head, 58, 2)), Int(Self.number(head, 60, 2)))
        let names = Int(Self.number(head, 62, 2))
        guard length >= 64, count > 1, names < count, Int64(count * length) <= fileSize - table else { return nil }
        let first = Int(table - start)
        let sections = (0..<count).map { Section(tail[(first + $0 * length)..<(first + ($0 + 1) * length)]) }
        let nameTable = sections[names]
        guard nameTable.offset >= start, nameTable.size >= 0, nameTable.offset <= fileSize - nameTable.size else {
            return nil
        }
        let texts = tail[Int(nameTable.offset - start)..<Int(nameTable.offset - start + nameTable.size)]
        size = sections.enumerated().reduce(0) { sum, item in
            let (index, section) = item
            // Sections without bytes in the file, and those that the program needs, stay.
            guard index != names, section.isOnlyForTools, section.size >= 0, section.size <= fileSize else {
                return sum
            }
            let isSymbols = section.type == Section.symbolTable || section.type == Section.stringTable
            guard isSymbols || Self.isDebug(Self.name(texts, section.name)) else { return sum }
            return sum + section.size + Int64(length)
        }
    }

    private struct Section {
        static let symbolTable: UInt64 = 2
        static let stringTable: UInt64 = 3

        let name: Int
        let type: UInt64
        let flags: UInt64
        let offset: Int64
        let size: Int64

        init(_ bytes: ArraySlice<UInt8>) {
            let bytes = Array(bytes)
            name = Int(ProgramSymbols.number(bytes, 0, 4))
            type = ProgramSymbols.number(bytes, 4, 4)
            flags = ProgramSymbols.number(bytes, 8, 8)
            offset = Int64(clamping: ProgramSymbols.number(bytes, 24, 8))
            size = Int64(clamping: ProgramSymbols.number(bytes, 32, 8))
        }

        /// Whether it has bytes in the file and none in the memory of the program.
        var isOnlyForTools: Bool { flags & 2 == 0 && type != 8 && type != 0 }
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ length: Int) -> UInt64 {
        bytes[offset..<offset + length].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func name(_ texts: ArraySlice<UInt8>, _ offset: Int) -> String {
        guard offset < texts.count else { return "" }
        return String(decoding: texts[(texts.startIndex + offset)...].prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func isDebug(_ name: String) -> Bool {
        [".debug", ".zdebug", ".gnu.linkonce.wi.", ".line", ".stab", ".gdb_index"].contains(where: name.hasPrefix)
    }
}
