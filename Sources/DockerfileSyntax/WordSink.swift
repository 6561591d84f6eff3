/// Collects the output of a ``WordScanner``, as one text or as words.
struct WordSink {
    private let splits: Bool
    private var current: [UInt8] = []
    private var words: [[UInt8]] = []

    init(splits: Bool) { self.splits = splits }

    /// The number of bytes so far.
    private(set) var count = 0

    /// Adds bytes that white space does not split.
    mutating func append(_ bytes: some Collection<UInt8>) {
        count += bytes.count
        current.append(contentsOf: bytes)
    }

    /// Adds bytes whose white space ends a word.
    mutating func appendSplitting(_ bytes: Text) {
        count += bytes.count
        guard splits else {
            current.append(contentsOf: bytes)
            return
        }
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let space = bytes.spaceLength(at: index)
            if space == 0 { current.append(bytes[index]) } else { endWord() }
            index += max(1, space)
        }
    }

    mutating func endWord() {
        if current.isEmpty { return }
        words.append(current)
        current = []
    }

    /// The bytes collected without splitting.
    var text: [UInt8] { current }

    mutating func finishWords() -> [String] {
        endWord()
        return words.map { String(decoding: $0, as: UTF8.self) }
    }
}
