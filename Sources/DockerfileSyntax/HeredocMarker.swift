/// The word that opens a here-document, such as `<<EOF`, `<<-'EOF'` or `3<<EOF`.
struct HeredocMarker: Equatable {
    let name: String
    let expand: Bool
    let chomp: Bool
    let fileDescriptor: Int

    /// Reads a whole word as a marker; `nil` if it is none.
    init?(_ word: String) {
        let bytes = Text(word)
        let digits = bytes.prefix(while: \.isDigit)
        var rest = bytes[digits.endIndex...]
        guard rest.starts(with: "<<".utf8) else { return nil }
        rest = rest.dropFirst(2)
        chomp = rest.first == UInt8(ascii: "-")
        if chomp { rest = rest.dropFirst() }
        rest = rest.trimmingLeadingSpace()
        guard !rest.isEmpty, !rest.contains(UInt8(ascii: "<")), !Self.hasModifiedSubstitution(rest) else { return nil }
        var scanner = WordScanner(rest, escape: .backslash, quotes: .remove, keepsUnset: true)
        guard let words = try? scanner.words(environment: { _ in nil }), words.count == 1 else { return nil }
        name = words[0]
        expand = !scanner.sawQuotes
        fileDescriptor = digits.isEmpty ? 0 : Int(digits.string) ?? .max
    }

    /// The markers of a logical line in their order.
    ///
    /// The line is split as a shell would, except that comments and arithmetic mean nothing here. A line that cannot
    /// be split, for want of a closing quote, has no markers.
    static func markers(in line: String) -> [HeredocMarker] {
        var scanner = WordScanner(Text(line), escape: .backslash, quotes: .keep, keepsUnset: true, keepsEscapes: true)
        guard let words = try? scanner.words(environment: { _ in nil }) else { return [] }
        return words.compactMap { HeredocMarker($0) }
    }

    /// Whether there is a `${name...}` with anything but the name in its braces, which BuildKit does not accept here.
    private static func hasModifiedSubstitution(_ text: Text) -> Bool {
        var rest = text
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            rest = rest[(dollar + 1)...]
            guard rest.first == UInt8(ascii: "{") else { continue }
            let name = rest.dropFirst().prefix { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") || $0 >= 0x80 }
            if name.endIndex < rest.endIndex && rest[name.endIndex] != UInt8(ascii: "}") { return true }
        }
        return false
    }
}
