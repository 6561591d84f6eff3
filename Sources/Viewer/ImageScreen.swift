import Comparison
import Console
import GoCompat
import Inspector
import Layers
import Linux

extension ImageView {
    /// The lines of the screen, each as wide as the window.
    var screen: [StyledLine] {
        guard size.columns >= ViewLayout.minimum.columns, size.rows >= ViewLayout.minimum.rows else {
            let lines = [StyledLine("The window is too small.", .failure)]
            return (0..<max(1, size.rows)).map {
                ($0 < lines.count ? lines[$0] : StyledLine()).fitted(to: size.columns)
            }
        }
        let layout = ViewLayout(self)
        var lines = [title]
        switch page {
        case .main: lines += mainPage(layout)
        case .waste: lines += wastePage(layout)
        case .lines: lines += linesPage(layout)
        case .packages: lines += packagesPage(layout)
        case .content: lines += contentPage(layout)
        case .help: lines += helpPage(layout)
        }
        while lines.count < size.rows - 2 { lines.append(StyledLine()) }
        lines = Array(lines.prefix(size.rows - 2)) + [information, status]
        return lines.map { $0.fitted(to: size.columns) }
    }

    private var title: StyledLine {
        let analysis = subject.image.analysis
        var line = StyledLine(" \(VisibleText.escaped(Array(subject.name.utf8)))", .title)
        if let pair = subject.pair {
            let (old, new) = (pair.old.analysis.size, pair.new.analysis.size)
            line.append("  \(HumanSize.short(old)) → \(HumanSize.short(new))")
            return line
        }
        line.append("  \(HumanSize.short(analysis.size))")
        guard subject.isRead else {
            line.append("  reading the lists of files…", .faint)
            return line
        }
        line.append(
            "  \(HumanSize.short(analysis.reclaimable.total)) wasted",
            analysis.reclaimable.total > 0 ? .modified : .faint)
        line.append("  efficiency \(Percentage.exact(analysis.efficiency))", .faint)
        return line
    }

    private func mainPage(_ layout: ViewLayout) -> [StyledLine] {
        let left = layout.layers.width > 0 ? layersPane(layout) : []
        let right = layout.tree.width > 0 ? treePane(layout) : []
        guard layout.isWide else { return left + right }
        return (0..<layout.body).map { row in
            var line = (row < left.count ? left[row] : StyledLine()).fitted(to: layout.layers.width)
            line.append("│", .faint)
            line.append(row < right.count ? right[row] : StyledLine())
            return line
        }
    }

    // MARK: The lines at the bottom

    /// The whole path of the selected file, or the whole command of the selected layer.
    private var information: StyledLine {
        if isTyping || !filter.text.isEmpty, page == .main { return filterLine }
        switch page {
        case .main where pane == .tree:
            guard let node = selectedNode, let entry = entry(of: node) else { return StyledLine() }
            let path = "/" + VisibleText.escaped(subject.tree.path(of: node).bytes)
            return StyledLine(" " + FileName.text(entry, path), .faint)
        case .main where !subject.layers.isEmpty:
            return StyledLine(" " + subject.command(of: selectedLayer), .faint)
        case .content: return StyledLine(" \(content?.summary ?? "")", .faint)
        default: return StyledLine()
        }
    }

    private var filterLine: StyledLine {
        var line = StyledLine(filter.isRegularExpression ? " Regular expression: " : " Filter: ", .strong)
        line.append(VisibleText.escaped(Array(filter.text.utf8), doublingBackslashes: false))
        if isTyping { line.append(" ", .selected) }
        if let failure = filter.failure {
            line.append("  \(failure)", .failure)
        } else if let matches = filter.matches {
            let count = matches.indices.count { matches[$0] && comparison.change(of: $0) != nil }
            line.append("  \(count) found", .faint)
        }
        return line
    }

    private var status: StyledLine {
        if !message.isEmpty { return StyledLine(" \(message)", isFailure ? .failure : .strong) }
        var line = StyledLine(" ")
        for (key, text) in keyHints {
            var hint = StyledLine(line.width > 1 ? "  " : "")
            hint.append(key, .key)
            hint.append(" \(text)")
            if line.width + hint.width > size.columns { break }
            line.append(hint)
        }
        return line
    }

    /// The keys that matter where the view is now.
    private var keyHints: [(String, String)] {
        if isTyping { return [("Enter", "keep"), ("Esc", "clear"), ("Tab", "text or regular expression")] }
        let hints: [([ViewAction], String)]
        switch page {
        case .main where pane == .layers:
            hints = [
                ([.help], "help"), ([.back], "quit"), ([.nextPane], "files"), ([.up, .down], "layer"),
                mode == .layer ? ([.compareAll], "all changes") : ([.compareLayer], "this layer"),
                ([.wasted], "wasted"), ([.lines], "lines"),
            ]
        case .main where subject.pair != nil:
            hints = [
                ([.help], "help"), ([.back], "quit"), ([.open], "view new"), ([.viewOld], "view old"),
                ([.unmodified], "equal files"), ([.filter], "filter"), ([.sort], "sort"), ([.copyOut], "copy out"),
            ]
        case .main:
            let isFile = selectedNode.map { !isDirectory($0) } ?? false
            hints = [
                ([.help], "help"), ([.back], "quit"), ([.nextPane], "layers"), ([.open], isFile ? "view" : "open"),
                ([.filter], "filter"), ([.sort], "sort"), ([.copyOut], "copy out"),
            ]
        case .waste, .lines:
            hints = [([.help], "help"), ([.back], "back"), ([.up, .down], "move"), ([.open], "go there")]
        case .content:
            hints = [
                ([.back], "back"), ([.hex], content?.showsHex == true ? "text" : "hex"), ([.up, .down], "move"),
                ([.pageDown], "page"), ([.first, .last], "ends"),
            ]
        case .help, .packages: hints = [([.back], "back"), ([.up, .down], "move")]
        }
        return hints.compactMap { actions, text in
            let keys = actions.compactMap(bindings.hint)
            return keys.isEmpty ? nil : (keys.joined(separator: keys.contains { $0.count > 1 } ? " " : ""), text)
        }
    }
}

/// Names of files as the view and listings show them.
enum FileName {
    /// A name with the target of a link.
    static func text(_ entry: LayerEntry, _ name: String) -> String {
        switch entry.kind {
        case .symlink: "\(name) → \(VisibleText.escaped(entry.linkTarget.bytes))"
        case .hardLink: "\(name) → /\(VisibleText.escaped(entry.linkTarget.bytes))"
        default: name
        }
    }
}
