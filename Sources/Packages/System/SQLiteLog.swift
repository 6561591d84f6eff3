import Diagnostics

/// The write-ahead log beside a database of SQLite: the pages that committed transactions wrote, newer than those in the
/// file of the database.
///
/// Source: https://www.sqlite.org/fileformat2.html, section 4.
struct SQLiteLog {
    /// The name of the log's file is that of the database and this.
    static let suffix = "-wal"
    static let headerSize = 32
    private static let frameHeaderSize = 24
    private static let version: UInt64 = 3_007_000

    private let data: ByteReader
    /// In bytes.
    private let pageSize: Int
    /// Whether the words that checksums are made of have their first byte first.
    private let hasBigEndianSums: Bool

    /// Reads the header. `nil` for bytes that SQLite takes for an empty log: too few, of another format, or with another
    /// checksum than the header's.
    ///
    /// Throws ``PackagesError`` `.unsupported` for another version of the format.
    private init?(_ bytes: [UInt8]) throws {
        data = ByteReader(bytes, isBigEndian: true)
        guard bytes.count >= Self.headerSize, let magic = data.number(at: 0, size: 4), magic & ~1 == 0x377f_0682,
            let size = data.count(at: 8, size: 4), size >= 512, size <= 65536, size & (size - 1) == 0
        else { return nil }
        pageSize = size
        hasBigEndianSums = magic & 1 == 1
        var sum = Checksum(isBigEndian: hasBigEndianSums)
        sum.add(bytes[..<24])
        guard sum.matches(data, at: 24) else { return nil }
        guard data.number(at: 4, size: 4) == Self.version else {
            throw PackagesError(.unsupported, "it has a write-ahead log of another version than 3007000")
        }
    }

    /// The database as SQLite reads it together with its log: the pages of all committed transactions in their places, and
    /// as many pages as the last of them left.
    ///
    /// Throws ``PackagesError`` when the log does not fit the database, or the result has more than `limit` bytes.
    static func applied(_ bytes: [UInt8], to database: [UInt8], limit: Int) throws -> [UInt8] {
        // SQLite drops the log of a file without a page.
        guard !database.isEmpty, let log = try SQLiteLog(bytes) else { return database }
        let (frames, pageCount) = log.committed()
        guard pageCount > 0 else { return database }
        guard
            ByteReader(database, isBigEndian: true).count(at: 16, size: 2) == log.pageSize & 0xffff | log.pageSize >> 16
        else { throw PackagesError(.badDatabase, "its write-ahead log is of another database") }
        guard pageCount <= limit / log.pageSize else {
            throw PackagesError(.tooLarge, "with its write-ahead log it is larger than \(limit >> 20) MiB")
        }
        let size = pageCount * log.pageSize
        var pages = Array(database.prefix(size))
        pages += [UInt8](repeating: 0, count: size - pages.count)
        for frame in frames where frame.page <= pageCount {
            let start = (frame.page - 1) * log.pageSize
            pages.replaceSubrange(start..<start + log.pageSize, with: bytes[frame.content])
        }
        return pages
    }

    /// A page as a transaction wrote it.
    private struct Frame {
        /// The number of the page; 1 is the first.
        let page: Int
        /// The place of its bytes in the log.
        let content: Range<Int>
    }

    /// The frames up to the last that commits a transaction, and the number of pages of the database after it.
    ///
    /// The log ends at the first frame that another use of the file left behind, or that was not written whole.
    private func committed() -> (frames: ArraySlice<Frame>, pageCount: Int) {
        var frames: [Frame] = []
        var (committed, pageCount) = (0, 0)
        var sum = Checksum(isBigEndian: hasBigEndianSums)
        sum.add(data.bytes[..<24])
        var offset = Self.headerSize
        while data.bytes.count - offset >= Self.frameHeaderSize + pageSize {
            let content = offset + Self.frameHeaderSize..<offset + Self.frameHeaderSize + pageSize
            sum.add(data.bytes[offset..<offset + 8])
            sum.add(data.bytes[content])
            guard let page = data.count(at: offset, size: 4), page > 0, let size = data.count(at: offset + 4, size: 4),
                data.number(at: offset + 8, size: 8) == data.number(at: 16, size: 8),
                sum.matches(data, at: offset + 16)
            else { break }
            frames.append(Frame(page: page, content: content))
            if size > 0 { (committed, pageCount) = (frames.count, size) }
            offset = content.upperBound
        }
        return (frames.prefix(committed), pageCount)
    }

    /// The sum over all that precedes it in the log, as two words.
    private struct Checksum {
        private var first: UInt32 = 0
        private var second: UInt32 = 0
        private let isBigEndian: Bool

        init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

        /// Adds bytes, a multiple of eight.
        mutating func add(_ bytes: ArraySlice<UInt8>) {
            let bytes = bytes.span
            func word(at index: Int) -> UInt32 {
                let word =
                    UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8
                    | UInt32(bytes[index + 3])
                return isBigEndian ? word : word.byteSwapped
            }
            for index in stride(from: 0, to: bytes.count - 7, by: 8) {
                first = first &+ word(at: index) &+ second
                second = second &+ word(at: index + 4) &+ first
            }
        }

        /// Whether the two words are what stands in the log.
        func matches(_ data: ByteReader, at offset: Int) -> Bool {
            data.number(at: offset, size: 4) == UInt64(first) && data.number(at: offset + 4, size: 4) == UInt64(second)
        }
    }
}
