/// The sections and segments of a program in ELF.
///
/// Source: System V ABI, chapter 4; elf(5).
struct ELFImage {
    struct Section {
        let name: String
        let offset: Int
        let size: Int
    }

    struct Segment {
        let offset: Int
        let address: UInt64
        let size: Int
        let isWritable: Bool
        let isExecutable: Bool
    }

    let data: ByteReader
    let is64: Bool
    private(set) var sections: [Section] = []
    /// The segments that the kernel loads.
    private(set) var segments: [Segment] = []

    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]

    /// `nil` for bytes that are none.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.magic), bytes.count > 64, (1...2).contains(bytes[4]), (1...2).contains(bytes[5])
        else { return nil }
        is64 = bytes[4] == 2
        data = ByteReader(bytes, isBigEndian: bytes[5] == 2)
        readSegments()
        readSections()
    }

    private var wordSize: Int { is64 ? 8 : 4 }

    private mutating func readSegments() {
        guard let table = data.count(at: is64 ? 32 : 28, size: wordSize),
            let size = data.count(at: is64 ? 54 : 42, size: 2), let count = data.count(at: is64 ? 56 : 44, size: 2)
        else { return }
        for index in 0..<count {
            let (place, isOverflowing) = table.addingReportingOverflow(index * size)
            guard !isOverflowing, data.number(at: place, size: 4) == 1,
                let flags = data.number(at: place + (is64 ? 4 : 24), size: 4),
                let offset = data.count(at: place + (is64 ? 8 : 4), size: wordSize),
                let address = data.number(at: place + (is64 ? 16 : 8), size: wordSize),
                let fileSize = data.count(at: place + (is64 ? 32 : 16), size: wordSize)
            else { continue }
            segments.append(
                Segment(
                    offset: offset, address: address, size: fileSize, isWritable: flags & 2 != 0,
                    isExecutable: flags & 1 != 0))
        }
    }

    private mutating func readSections() {
        guard let table = data.count(at: is64 ? 40 : 32, size: wordSize),
            let size = data.count(at: is64 ? 58 : 46, size: 2), let count = data.count(at: is64 ? 60 : 48, size: 2),
            let names = data.count(at: is64 ? 62 : 50, size: 2), names < count
        else { return }
        func header(_ index: Int) -> (name: Int, offset: Int, size: Int)? {
            let (place, isOverflowing) = table.addingReportingOverflow(index * size)
            guard !isOverflowing, let name = data.count(at: place, size: 4),
                let offset = data.count(at: place + (is64 ? 24 : 16), size: wordSize),
                let size = data.count(at: place + (is64 ? 32 : 20), size: wordSize)
            else { return nil }
            return (name, offset, size)
        }
        guard let texts = header(names) else { return }
        for index in 0..<count {
            guard let found = header(index), found.name < texts.size,
                let name = data.text(at: texts.offset &+ found.name, limit: 64)
            else { continue }
            sections.append(Section(name: name, offset: found.offset, size: found.size))
        }
    }

    /// The bytes of a section that the file has.
    func bytes(of name: String) -> ArraySlice<UInt8>? {
        sections.first { $0.name == name }.flatMap { data.slice(at: $0.offset, count: $0.size) }
    }

    /// The place in the file of what is at an address.
    func offset(of address: UInt64) -> Int? {
        for segment in segments where address >= segment.address {
            guard let distance = Int(exactly: address - segment.address), distance < segment.size else { continue }
            return segment.offset + distance
        }
        return nil
    }
}
