import Console

/// The look of a piece of text; a theme says what it is on a terminal.
enum TextStyle: Hashable, Sendable, CaseIterable {
    case plain, faint, strong, title, key, failure
    case added, modified, removed
    /// The line that a key would act on, in the pane that has the keys and in another one.
    case selected, marked
    /// Layers of the earlier and of the later point of a comparison.
    case earlier, later
}

/// A line of a screen: pieces of text that hold no control characters.
struct StyledLine: Hashable, Sendable {
    struct Piece: Hashable, Sendable {
        var text: String
        var style: TextStyle
    }

    private(set) var pieces: [Piece] = []
    private(set) var width = 0

    init() {}

    init(_ text: String, _ style: TextStyle = .plain) { append(text, style) }

    mutating func append(_ text: String, _ style: TextStyle = .plain) {
        guard !text.isEmpty else { return }
        pieces.append(Piece(text: text, style: style))
        width += TerminalText.width(of: text)
    }

    mutating func append(_ other: StyledLine) {
        pieces += other.pieces
        width += other.width
    }

    /// The line cut or padded to exactly so many columns; an ellipsis stands for what is cut.
    func fitted(to columns: Int) -> StyledLine {
        var line = StyledLine()
        guard width > columns else {
            line = self
            line.append(String(repeating: " ", count: columns - width), pieces.last?.style ?? .plain)
            return line
        }
        for piece in pieces {
            let room = columns - line.width
            if room <= 0 { break }
            let isLast = line.width + TerminalText.width(of: piece.text) >= columns
            line.append(isLast ? (piece.text + "…").ellipsized(to: room) : piece.text, piece.style)
        }
        // A wide character may not have fitted.
        line.append(String(repeating: " ", count: max(0, columns - line.width)), line.pieces.last?.style ?? .plain)
        return line
    }

    /// The line in pieces of at most so many columns, all but the first after four spaces; styles are lost.
    func wrapped(to columns: Int) -> [StyledLine] {
        var rest = text
        var lines: [StyledLine] = []
        while !rest.isEmpty {
            let indent = lines.isEmpty || columns < 20 ? "" : "    "
            let piece = TerminalText.prefix(rest, columns: max(1, columns - indent.count))
            // A character that is wider than the line.
            if piece.isEmpty { break }
            lines.append(StyledLine(indent + piece))
            rest = String(String.UnicodeScalarView(rest.unicodeScalars.dropFirst(piece.unicodeScalars.count)))
        }
        return lines
    }

    /// The line with one style for all its text.
    func styled(_ style: TextStyle) -> StyledLine { StyledLine(text, style) }

    var text: String { pieces.map(\.text).joined() }
}

/// The escape sequences of styles, by the colours that a terminal has.
struct TerminalTheme: Sendable {
    enum Colours: Hashable, Sendable {
        case none
        case sixteen
        case many
        case all
    }

    let colours: Colours

    /// By the variables NO_COLOR, COLORTERM and TERM.
    init(environment: (String) -> String?) {
        let terminal = environment("TERM") ?? ""
        if !OutputTerminal.wantsColours(environment: environment) {
            colours = .none
        } else if ["truecolor", "24bit"].contains(environment("COLORTERM") ?? "") {
            colours = .all
        } else {
            colours = terminal.contains("256color") ? .many : .sixteen
        }
    }

    /// The text of a line with its styles, and none left on at its end.
    func render(_ line: StyledLine) -> String {
        line.pieces.map { piece in
            let parameters = parameters(piece.style)
            return parameters.isEmpty ? piece.text : "\u{1b}[\(parameters)m\(piece.text)\u{1b}[0m"
        }.joined()
    }

    /// The parameters of SGR. Without colours, styles that matter are still bold, faint, underlined or reversed.
    private func parameters(_ style: TextStyle) -> String {
        switch style {
        case .plain: ""
        case .faint: "2"
        case .strong: "1"
        case .title: colour("1", "1;36", "1;38;5;80", "1;38;2;94;200;216")
        case .key: colour("1", "1;33", "1;38;5;180", "1;38;2;222;184;135")
        case .failure: colour("1", "1;31", "1;38;5;203", "1;38;2;255;95;95")
        case .added: colour("", "32", "38;5;114", "38;2;135;205;125")
        case .modified: colour("", "33", "38;5;221", "38;2;240;200;90")
        case .removed: colour("", "31", "38;5;203", "38;2;240;100;95")
        case .selected: "7"
        case .marked: colour("4", "4", "48;5;238", "48;2;60;64;72")
        case .earlier: colour("", "30;42", "38;5;16;48;5;71", "38;2;0;0;0;48;2;95;175;95")
        case .later: colour("7", "30;45", "38;5;16;48;5;133", "38;2;0;0;0;48;2;175;95;175")
        }
    }

    private func colour(_ none: String, _ sixteen: String, _ many: String, _ all: String) -> String {
        switch colours {
        case .none: none
        case .sixteen: sixteen
        case .many: many
        case .all: all
        }
    }
}
