import ArgumentParser
import CPages
import DockerfileSyntax

/// The pages of `docs/`, which are part of the program.
enum Pages {
    /// The names as `lamina help` takes them, in order.
    static let names: [String] = (0..<lamina_page_count()).map { unsafe String(cString: lamina_page_at($0).name) }
        .sorted()

    /// The text of a page; `nil` for a name that is none, in any case.
    static func text(_ name: String) -> String? {
        for index in 0..<lamina_page_count() {
            let page = unsafe lamina_page_at(index)
            guard unsafe String(cString: page.name).lowercased() == name.lowercased() else { continue }
            return unsafe String(decoding: UnsafeBufferPointer(start: page.text, count: page.size), as: UTF8.self)
        }
        return nil
    }

    /// The answer to `lamina help NAME`; `nil` where NAME is a command, whose help the parser has.
    ///
    /// - Throws: ``CommandLineError`` for what is neither.
    static func help(_ name: String) throws(CommandLineError) -> String? {
        let commands = Lamina.configuration.subcommands.map { $0.configuration.commandName ?? "" } + ["help"]
        if commands.contains(name) || name.hasPrefix("-") { return nil }
        if name == "topics" { return names.joined(separator: "\n") + "\n" }
        if let text = text(name) { return text }
        let meant = Suggestions.closest(to: name, among: names + commands).map { "; did you mean '\($0)'?" } ?? ""
        throw CommandLineError(
            message: "there is no help about '\(name)'\(meant)\nSee 'lamina help topics' for the pages.")
    }
}
