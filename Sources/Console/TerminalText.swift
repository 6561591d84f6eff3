/// Makes foreign text (command output, file names, Dockerfile lines) safe to print on a terminal.
///
/// Escape sequences and control characters can move the cursor, rename the window or type in the user's place. None of
/// them may reach the terminal from a build.
package enum TerminalText {
    /// The escape sequences to keep.
    package enum Escapes {
        case none
        /// `ESC [ ... m`: colours only. Logs of CI systems show them, and they cannot move anything.
        case colours
    }

    /// The text without escape sequences and control characters. Tabs become spaces to the next multiple of 8, and
    /// what is not UTF-8 becomes U+FFFD.
    package static func neutralised(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f }) else { return text }
        let cleaned = strippingEscapes(Array(text.utf8), keeping: .none)
        var result = String.UnicodeScalarView()
        var column = 0
        for scalar in String(decoding: cleaned, as: UTF8.self).unicodeScalars {
            if scalar == "\t" {
                let spaces = 8 - column % 8
                result.append(contentsOf: repeatElement(" ", count: spaces))
                column += spaces
            } else {
                result.append(scalar)
                column += width(of: scalar)
            }
        }
        return String(result)
    }

    /// The bytes without control characters other than tabs, and without escape sequences but those kept.
    ///
    /// Bytes that are not UTF-8 stay as they are: a terminal shows them as unknown, and a log keeps them.
    package static func strippingEscapes(_ bytes: [UInt8], keeping kept: Escapes) -> [UInt8] {
        guard bytes.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7f || $0 == 0xc2 }) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x1b {
                let end = endOfEscape(bytes, from: index)
                if kept == .colours, isColour(bytes[index..<end]) { result += bytes[index..<end] }
                index = end
            } else if byte == 0xc2, index + 1 < bytes.count, (0x80...0x9f).contains(bytes[index + 1]) {
                // A control character of the C1 set; U+009B begins a sequence as ESC [ does.
                index += 2
            } else {
                if byte == 0x09 || (byte >= 0x20 && byte != 0x7f) { result.append(byte) }
                index += 1
            }
        }
        return result
    }

    /// Source: ECMA-48, 5.4 "Control sequences" and 5.6 "Control strings".
    private static func endOfEscape(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start + 1
        guard index < bytes.count else { return index }
        switch bytes[index] {
        case UInt8(ascii: "["):
            index += 1
            while index < bytes.count, (0x20...0x3f).contains(bytes[index]) { index += 1 }
            return index < bytes.count && (0x40...0x7e).contains(bytes[index]) ? index + 1 : index
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            // A string runs to BEL or ESC \; an unclosed one must not swallow the rest of the line.
            var end = index + 1
            while end < bytes.count, bytes[end] != 0x07, bytes[end] != 0x1b { end += 1 }
            guard end < bytes.count else { return index + 1 }
            if bytes[end] == 0x07 { return end + 1 }
            return end + 1 < bytes.count && bytes[end + 1] == UInt8(ascii: "\\") ? end + 2 : end
        case 0x20...0x2f:
            while index < bytes.count, (0x20...0x2f).contains(bytes[index]) { index += 1 }
            return min(index + 1, bytes.count)
        case 0x30...0x7e:
            return index + 1
        default:
            return index
        }
    }

    private static func isColour(_ sequence: ArraySlice<UInt8>) -> Bool {
        guard sequence.last == UInt8(ascii: "m"), sequence.dropFirst().first == UInt8(ascii: "[") else { return false }
        return sequence.dropFirst(2).dropLast().allSatisfy { (0x30...0x3b).contains($0) }
    }
}

// MARK: Columns

extension TerminalText {
    /// The number of columns that a text without control characters takes.
    package static func width(of text: String) -> Int {
        let bytes = text.utf8
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.count }
        return text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    package static func width(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return isWide(scalar.value) ? 2 : 1
        }
    }

    /// The longest prefix of a text that fits into `columns`.
    package static func prefix(_ text: String, columns: Int) -> String {
        var result = String.UnicodeScalarView()
        var used = 0
        for scalar in text.unicodeScalars {
            used += width(of: scalar)
            if used > columns { break }
            result.append(scalar)
        }
        return String(result)
    }

    /// The text, padded with spaces to `columns`.
    package static func padded(_ text: String, columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - width(of: text)))
    }

    /// A line of exactly `columns` with `right` at its right edge, or `left` alone where little room is left for it.
    package static func line(_ left: String, right: String, columns: Int) -> String {
        let room = columns - width(of: right) - 1
        // In a very narrow window the left side says more.
        guard !right.isEmpty, room >= 12 else { return prefix(left, columns: columns) }
        return padded(prefix(left, columns: room), columns: room + 1) + right
    }

    /// Whether a character of this value takes two columns, by the blocks of UAX #11.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff,
            0x1f900...0x1f9ff, 0x20000...0x3fffd:
            true
        default: false
        }
    }
}

extension String {
    /// The text cut to `columns`; the last column is an ellipsis if something is missing.
    package func ellipsized(to columns: Int) -> String {
        guard TerminalText.width(of: self) > columns else { return self }
        return TerminalText.prefix(self, columns: max(0, columns - 1)) + "…"
    }
}

extension TerminalText {
    /// The text as one neutralised line; line ends become spaces.
    package static func line(_ text: String) -> String { lines(text).joined(separator: " ") }

    /// A line of a file, without its end, with control characters shown; tabs become spaces.
    package static func visibleLine(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        for (index, piece) in bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).enumerated()
        {
            if index > 0 { text += String(repeating: " ", count: 8 - width(of: text) % 8) }
            text += VisibleText.escaped(piece, doublingBackslashes: false)
        }
        return text
    }

    /// The neutralised lines of a text.
    package static func lines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map { neutralised(String($0)) }
    }
}
