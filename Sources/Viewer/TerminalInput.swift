/// Something that happens to a view on a terminal.
enum TerminalEvent: Hashable, Sendable {
    case key(TerminalKey)
    /// A press of the left button; columns and rows count from 0.
    case click(column: Int, row: Int)
    /// The wheel, down for positive steps.
    case wheel(Int, column: Int, row: Int)
    /// Text that was pasted: it is no keys.
    case paste(String)
    case resize(columns: Int, rows: Int)
}

enum TerminalKey: Hashable, Sendable {
    case character(Character)
    /// A letter with ctrl; ctrl+space is `" "`.
    case control(Character)
    case up, down, left, right, pageUp, pageDown, home, end
    case enter, escape, tab, backTab, backspace, delete
}

/// Turns the bytes that a terminal sends into events.
///
/// Source: ECMA-48, and xterm's control sequences ("Mouse Tracking", "Bracketed Paste Mode").
struct TerminalInput {
    private var bytes: [UInt8] = []
    private var pasted: [UInt8]?

    /// A longer sequence is none, and longer pasted text is no pattern.
    private static let limit = 1 << 16

    /// Whether the bytes so far may be the beginning of a sequence. If no more come soon, ``finish()`` takes them as keys.
    var isIncomplete: Bool { !bytes.isEmpty }

    mutating func decode(_ more: [UInt8]) -> [TerminalEvent] {
        bytes += more
        var events: [TerminalEvent] = []
        while !bytes.isEmpty, let (event, count) = next() {
            bytes.removeFirst(count)
            if let event { events.append(event) }
        }
        return events
    }

    /// The keys that the bytes are if nothing follows them: a lone ESC is the key of this name.
    mutating func finish() -> [TerminalEvent] {
        guard pasted == nil, bytes.first == 0x1b else {
            if pasted == nil { bytes = [] }
            return []
        }
        bytes.removeFirst()
        return [.key(.escape)] + decode([])
    }

    /// The next event, if any, and the bytes that it takes; `nil` while they are not all there.
    private mutating func next() -> (TerminalEvent?, Int)? {
        if pasted != nil { return nextPasted() }
        let byte = bytes[0]
        switch byte {
        case 0x1b: return escape()
        case 0x0d, 0x0a: return (.key(.enter), 1)
        case 0x09: return (.key(.tab), 1)
        case 0x08, 0x7f: return (.key(.backspace), 1)
        case 0: return (.key(.control(" ")), 1)
        case 0x1f: return (.key(.control("/")), 1)
        case 1...0x1a: return (.key(.control(Character(Unicode.Scalar(byte + 0x60)))), 1)
        case 0x20..<0x7f: return (.key(.character(Character(Unicode.Scalar(byte)))), 1)
        case 0xc2...0xf4: return character(byte)
        default: return (nil, 1)
        }
    }

    private func character(_ first: UInt8) -> (TerminalEvent?, Int)? {
        let count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard bytes.count >= count else { return nil }
        guard let text = String(validating: bytes.prefix(count), as: UTF8.self), let character = text.first else {
            return (nil, 1)
        }
        return (.key(.character(character)), count)
    }

    private mutating func escape() -> (TerminalEvent?, Int)? {
        guard bytes.count > 1 else { return nil }
        switch bytes[1] {
        case UInt8(ascii: "["): return controlSequence()
        case UInt8(ascii: "O"):
            guard bytes.count > 2 else { return nil }
            return (Self.key(final: bytes[2]).map { .key($0) }, 3)
        case 0x1b: return (.key(.escape), 1)
        // A key with Alt counts as the key of the letter alone, after ESC.
        default: return (.key(.escape), 1)
        }
    }

    private mutating func controlSequence() -> (TerminalEvent?, Int)? {
        guard let end = bytes.indices.dropFirst(2).first(where: { (0x40...0x7e).contains(bytes[$0]) }) else {
            return bytes.count > 64 ? (nil, bytes.count) : nil
        }
        let text = String(decoding: bytes[2..<end], as: UTF8.self)
        let count = end + 1
        if text.hasPrefix("<") {
            return (Self.mouse(text.dropFirst(), isPress: bytes[end] == UInt8(ascii: "M")), count)
        }
        if bytes[end] == UInt8(ascii: "~") {
            if text == "200" { pasted = [] }
            return (Self.key(number: text.prefix { $0 != ";" }).map { .key($0) }, count)
        }
        return (Self.key(final: bytes[end]).map { .key($0) }, count)
    }

    private static func key(final: UInt8) -> TerminalKey? {
        switch final {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "Z"): .backTab
        case UInt8(ascii: "M"): .enter
        default: nil
        }
    }

    private static func key(number: Substring) -> TerminalKey? {
        switch number {
        case "1", "7": .home
        case "3": .delete
        case "4", "8": .end
        case "5": .pageUp
        case "6": .pageDown
        default: nil
        }
    }

    private static func mouse(_ text: Substring, isPress: Bool) -> TerminalEvent? {
        let numbers = text.split(separator: ";").compactMap { Int($0) }
        guard numbers.count == 3, isPress, numbers[1] > 0, numbers[2] > 0 else { return nil }
        let (column, row) = (numbers[1] - 1, numbers[2] - 1)
        switch numbers[0] {
        case 0: return .click(column: column, row: row)
        case 64: return .wheel(-3, column: column, row: row)
        case 65: return .wheel(3, column: column, row: row)
        default: return nil
        }
    }

    /// Pasted text runs to ESC [ 201 ~.
    private mutating func nextPasted() -> (TerminalEvent?, Int)? {
        let end = Array("\u{1b}[201~".utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            guard bytes.count > Self.limit else { return nil }
            pasted = nil
            return (nil, bytes.count)
        }
        pasted = nil
        return (.paste(String(decoding: bytes[..<start], as: UTF8.self)), start + end.count)
    }
}
