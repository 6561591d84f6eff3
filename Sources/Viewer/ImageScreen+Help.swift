import Console

/// A line of the help: a title, or the keys of actions that are explained together.
struct HelpLine: Hashable, Sendable {
    let actions: [ViewAction]
    let text: String

    init(_ actions: ViewAction..., text: String) {
        self.actions = actions
        self.text = text
    }
}

extension ImageView {
    func helpPage(_ layout: ViewLayout) -> [StyledLine] {
        var lines = [StyledLine(" Keys", .strong)]
        let help = helpLines
        for index in self.help.window(layout.list.height, of: help.count) {
            guard !help[index].actions.isEmpty else {
                lines.append(StyledLine(" \(help[index].text)", .strong))
                continue
            }
            let keys = help[index].actions.map(bindings.help).filter { !$0.isEmpty }.joined(separator: ", ")
            var line = StyledLine("   " + TerminalText.padded(keys.isEmpty ? "-" : keys, columns: 16), .key)
            line.append(help[index].text)
            lines.append(index == self.help.selected ? line.fitted(to: size.columns).styled(.marked) : line)
        }
        return lines
    }

    var helpLines: [HelpLine] {
        [
            HelpLine(text: "Everywhere"),
            HelpLine(.up, .down, text: "a line up or down"),
            HelpLine(.pageUp, .pageDown, text: "a page up or down"),
            HelpLine(.first, .last, text: "to the first or the last line"),
            HelpLine(.back, text: "back, and from the first page out; Ctrl-C leaves at once"),
            HelpLine(.suspend, text: "stop; fg goes on"),
            HelpLine(.help, text: "these keys"),
            HelpLine(text: "Layers and files"),
            HelpLine(.nextPane, text: "from the layers to the files and back"),
            HelpLine(.filter, text: "filter by path while you type; Tab: regular expression"),
            HelpLine(.cancel, text: "drop the filter"),
            HelpLine(.added, text: "hide or show added files"),
            HelpLine(.removed, text: "hide or show removed files"),
            HelpLine(.modified, text: "hide or show modified files"),
            HelpLine(.unmodified, text: "hide or show unmodified files"),
            HelpLine(.sort, text: "sort by name, by size in directories, largest files first"),
            HelpLine(.largest, text: "largest files of the whole image"),
            HelpLine(.attributes, text: "permissions and owners"),
            HelpLine(.wrap, text: "wrap long names"),
            HelpLine(.wasted, text: "paths that layers store in vain"),
            HelpLine(.lines, text: "sizes by the lines of the Dockerfile"),
            HelpLine(.packages, text: "packages that the layer installs, removes or replaces"),
            HelpLine(text: "Layers"),
            HelpLine(.compareLayer, text: "compare the layer with those below it (░ earlier, ▒ later)"),
            HelpLine(.compareAll, text: "compare all layers up to this one with the first"),
            HelpLine(text: "Files: + added, ~ modified, - removed"),
            HelpLine(.open, text: "open or close a directory, view a file"),
            HelpLine(.right, .left, text: "into a directory, out of it"),
            HelpLine(.collapse, text: "collapse or expand a directory"),
            HelpLine(.collapseAll, text: "collapse or expand all directories"),
            HelpLine(.copyOut, text: "copy the file or directory into the working directory"),
            HelpLine(.viewOld, text: "with two images: view the file of the old one"),
            HelpLine(text: "File contents"),
            HelpLine(.hex, text: "text or hexadecimal"),
            HelpLine(.right, .left, text: "scroll long lines"),
        ]
    }
}
