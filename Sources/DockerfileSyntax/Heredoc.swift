/// A here-document of RUN, COPY or ADD.
public struct Heredoc: Hashable, Sendable {
    /// The word that ends the document, and the file name it gets in COPY; quotes removed.
    public let name: String

    /// The lines of the document as written, each with its terminator. Not necessarily UTF-8.
    public let bytes: [UInt8]

    /// Whether variables in the body are to be expanded, that is, whether the marker had no quotes.
    public let expand: Bool

    /// Whether leading tabs are to be removed: the marker was `<<-`.
    public let chomp: Bool

    /// The number before `<<`, 0 if there is none.
    public let fileDescriptor: Int

    /// A here-document with these parts.
    public init(name: String, bytes: [UInt8], expand: Bool, chomp: Bool, fileDescriptor: Int = 0) {
        self.name = name
        self.bytes = bytes
        self.expand = expand
        self.chomp = chomp
        self.fileDescriptor = fileDescriptor
    }
}

extension Heredoc {
    /// The document as written.
    public var body: String { String(decoding: bytes, as: UTF8.self) }

    /// The document as it is used: without leading tabs if the marker was `<<-`.
    public var content: String { String(decoding: contentBytes, as: UTF8.self) }

    /// The bytes of ``content``.
    public var contentBytes: [UInt8] {
        guard chomp else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var atLineStart = true
        for byte in bytes {
            if atLineStart && byte == UInt8(ascii: "\t") { continue }
            result.append(byte)
            atLineStart = byte == UInt8(ascii: "\n")
        }
        return result
    }
}
