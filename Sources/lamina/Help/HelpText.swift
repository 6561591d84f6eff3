/// The help of a command as a reader wants it: the options that most people use first, then the groups with titles,
/// and at last what every command has.
struct HelpText {
    /// Lines that begin with a heading, or the text before the first one.
    private struct Section {
        var heading: Substring?
        var lines: [Substring]

        /// The place of the section among the others.
        var rank: Int {
            switch heading {
            case nil: 0
            case "USAGE:": 1
            case "EXAMPLES:": 2
            case "ARGUMENTS:": 3
            case "OPTIONS:": 4
            case "GLOBAL OPTIONS:": 6
            case "SUBCOMMANDS:": 7
            default: 5
            }
        }
    }

    /// The text with its sections in order, and an empty line between them.
    let text: String

    /// Puts the help that the parser made into order.
    init(parsed help: String) {
        var sections = [Section(heading: nil, lines: [])]
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            if let heading = Self.heading(line) { sections.append(Section(heading: heading, lines: [])) }
            sections[sections.count - 1].lines.append(line)
        }
        // The last line of some help names the help of subcommands; it stays at the end.
        var ending: [Substring] = []
        if let last = sections.last?.lines.last(where: { !$0.isEmpty }), last.hasPrefix("  See '") {
            let index = sections.count - 1
            sections[index].lines.removeAll { $0 == last }
            ending = [last]
        }
        let ordered = sections.enumerated()
            .sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map { Self.trimmed($0.element.lines).joined(separator: "\n") }
        text = (ordered + ending.map(String.init)).filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    /// The title in capitals, with a colon after it, that a line begins a section with; the usage stands on that line.
    private static func heading(_ line: Substring) -> Substring? {
        if line.hasPrefix("USAGE: ") { return "USAGE:" }
        guard line.last == ":", let first = line.first, first.isLetter else { return nil }
        return line.dropLast().allSatisfy { $0.isUppercase || $0 == " " || $0 == "-" } ? line : nil
    }

    private static func trimmed(_ lines: [Substring]) -> ArraySlice<Substring> {
        var lines = lines[...]
        while lines.first?.isEmpty == true { lines.removeFirst() }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}
