import OCI

/// A page of the manual about a command, made of the parser's description of it.
///
/// Source: man(7).
struct ManualPage {
    /// The file's name, e.g. `lamina-build.1`.
    let fileName: String
    let text: String

    /// The pages of a command and of all below it. `command` is in the form of the parser's `_dumpHelp()`.
    static func all(of command: JSON, after parents: [String] = [], version: String) -> [ManualPage] {
        let words = parents + [command["commandName"]?.string ?? ""]
        let subcommands = (command["subcommands"]?.array ?? []).filter { $0["commandName"]?.string != "help" }
        let own = ManualPage(command, words, subcommands, version)
        return [own] + subcommands.flatMap { all(of: $0, after: words, version: version) }
    }

    private init(_ command: JSON, _ words: [String], _ subcommands: [JSON], _ version: String) {
        let name = words.joined(separator: "-")
        fileName = "\(name).1"
        var lines = [
            ".TH \"\(Self.escaped(name.uppercased()))\" 1 \"\" \"\(Self.escaped(version))\" \"Lamina\"",
            ".SH NAME", "\(Self.escaped(name)) \\- \(Self.line(command["abstract"]?.string ?? ""))",
        ]
        let arguments = (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
        lines += [".SH SYNOPSIS", ".B \(Self.escaped(words.joined(separator: " ")))"]
        lines.append(Self.line(Self.synopsis(arguments, hasCommands: !subcommands.isEmpty)))
        if let discussion = command["discussion"]?.string, !discussion.isEmpty {
            lines.append(".SH DESCRIPTION")
            lines += Self.paragraphs(discussion)
        }
        lines += Self.sections(of: arguments)
        if !subcommands.isEmpty {
            lines.append(".SH COMMANDS")
            for subcommand in subcommands {
                let full = (words + [subcommand["commandName"]?.string ?? ""]).joined(separator: "-")
                lines += [".TP", ".BR \(Self.escaped(full)) (1)", Self.line(subcommand["abstract"]?.string ?? "")]
            }
        }
        lines += [".SH EXIT STATUS", "0 for success, 1 for a failure, 2 for a wrong command line."]
        if words.count > 1 {
            lines += [".SH SEE ALSO", ".BR \(Self.escaped(words.dropLast().joined(separator: "-"))) (1)"]
        } else {
            lines += [
                ".SH FILES", ".TP", ".I /etc/lamina/config.toml, ~/.config/lamina/config.toml",
                "Settings: see", ".BR \"lamina help configuration\" .", ".SH SEE ALSO",
                ".B lamina help topics", "lists the pages that are part of the program.",
            ]
        }
        text = lines.joined(separator: "\n") + "\n"
    }

    // MARK: Parts

    private static func synopsis(_ arguments: [JSON], hasCommands: Bool) -> String {
        if hasCommands { return "[options] command …" }
        let positional = arguments.filter { $0["kind"]?.string == "positional" }.map { argument in
            let name = "<\(argument["valueName"]?.string ?? "")>" + (argument["isRepeating"]?.bool == true ? " …" : "")
            return argument["isOptional"]?.bool == true ? "[\(name)]" : name
        }
        return (["[options]"] + positional).joined(separator: " ")
    }

    /// A section for each title of the groups of options: the one without a title first, what every command has last.
    private static func sections(of arguments: [JSON]) -> [String] {
        var titles: [String] = []
        for argument in arguments {
            let title = title(of: argument)
            if !titles.contains(title) { titles.append(title) }
        }
        let ends = ["Arguments": 0, "Options": 1, "Global options": 3]
        let ordered = titles.enumerated()
            .sorted { (ends[$0.element] ?? 2, $0.offset) < (ends[$1.element] ?? 2, $1.offset) }
        return ordered.map(\.element).flatMap { title in
            [".SH \(escaped(title.uppercased()))"]
                + arguments.filter { self.title(of: $0) == title }.flatMap { entry($0) }
        }
    }

    private static func title(of argument: JSON) -> String {
        if argument["kind"]?.string == "positional" { return "Arguments" }
        return argument["sectionTitle"]?.string ?? "Options"
    }

    private static func entry(_ argument: JSON) -> [String] {
        let value = argument["valueName"]?.string ?? ""
        var term: String
        if argument["kind"]?.string == "positional" {
            term = "\\fI\(escaped(value))\\fR"
        } else {
            // Short names first.
            let names = (argument["names"]?.array ?? []).sorted { one, other in
                one["kind"]?.string != "long" && other["kind"]?.string == "long"
            }
            term = names.map { name in
                let dashes = name["kind"]?.string == "long" ? "--" : "-"
                return "\\fB\(escaped(dashes + (name["name"]?.string ?? "")))\\fR"
            }.joined(separator: ", ")
            if argument["kind"]?.string == "option" { term += " \\fI\(escaped(value))\\fR" }
        }
        var text = argument["abstract"]?.string ?? ""
        if let standard = argument["defaultValue"]?.string, argument["kind"]?.string == "option" {
            text += " (default: \(standard))"
        }
        return [".TP", term, line(text)]
    }

    // MARK: roff

    /// Lines of text; a blank line begins a paragraph, and an indented line stays a line of its own. Examples get a
    /// section.
    private static func paragraphs(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { piece -> [String] in
            if piece.isEmpty { return [".PP"] }
            if piece == "EXAMPLES:" { return [".SH EXAMPLES"] }
            return piece.hasPrefix("--") ? [".br", line(String(piece))] : [line(String(piece))]
        }
    }

    /// A line of text, which must not be taken for a request.
    private static func line(_ text: String) -> String {
        let text = escaped(text.replacing("\n", with: " "))
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&\(text)" : text
    }

    private static func escaped(_ text: String) -> String {
        // Roff of the C locale has no glyph for the ellipsis.
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("…", with: "...")
    }
}
