import Console
import GoCompat
import Inspector
import Layers
import Linux
import OCI

extension ImageView {
    // MARK: Layers

    func layersPane(_ layout: ViewLayout) -> [StyledLine] {
        let width = layout.layers.width
        var lines = [StyledLine(" Cmp     Size  Command", pane == .layers ? .strong : .faint)]
        for index in layers.window(layout.layers.height, of: subject.layers.count) {
            lines.append(layerLine(index, width))
        }
        lines.append(StyledLine())
        lines += details(width)
        return Array(lines.prefix(layout.body))
    }

    private func layerLine(_ index: Int, _ width: Int) -> StyledLine {
        let layer = subject.layers[index]
        let isSelected = index == layers.selected
        var line = StyledLine(" ")
        let isLater = index > comparison.base && index <= comparison.layer
        let isEarlier = index <= comparison.base
        line.append(isLater ? "▒▒" : isEarlier ? "░░" : "  ", isLater ? .later : isEarlier ? .earlier : .plain)
        var text = StyledLine(" " + Self.right(HumanSize.short(layer.size), 8) + "  ")
        text.append(subject.command(of: index))
        let style: TextStyle = isSelected ? pane == .layers ? .selected : .marked : .plain
        line.append(text.fitted(to: max(0, width - line.width)).styled(style))
        return line
    }

    /// Facts about the selected layer, and about the image.
    private func details(_ width: Int) -> [StyledLine] {
        guard subject.layers.indices.contains(selectedLayer) else { return [StyledLine(" The image has no layers.")] }
        let layer = subject.layers[selectedLayer]
        var lines = [StyledLine(" Layer \(layer.index + 1) of \(subject.layers.count)", .strong)]
        func add(_ name: String, _ value: String) {
            var line = StyledLine(" " + TerminalText.padded(name, columns: 11), .faint)
            line.append(value)
            lines.append(line)
        }
        let blob = layer.blobSize.map { ", \(HumanSize.short($0)) as a blob" } ?? ""
        add("Size", HumanSize.short(layer.size) + blob)
        add("DiffID", layer.diffID.description)
        if subject.isRead {
            add("Added", Self.tally(layer.added))
            add("Changed", Self.tally(layer.changed))
            add("Removed", Self.tally(layer.removed))
            add(
                "Wasted",
                "\(HumanSize.short(layer.reclaimable.total)) of it, \(HumanSize.short(layer.causes.total)) below it")
        } else {
            add("Holds", "\(layer.added.count) files and directories")
        }
        if let source = subject.sources[selectedLayer] {
            add("Dockerfile", "line \(subject.lines(of: selectedLayer) ?? "")")
            for text in source.origin.text.split(separator: "\n").prefix(4) {
                lines.append(StyledLine("   " + TerminalText.visibleLine(Array(text.utf8)), .faint))
            }
        }
        lines.append(StyledLine())
        return lines + wasteSummary(width)
    }

    private func wasteSummary(_ width: Int) -> [StyledLine] {
        guard subject.isRead else { return [] }
        let analysis = subject.image.analysis
        var lines = [StyledLine(" Image", .strong)]
        var line = StyledLine(" " + TerminalText.padded("As dive", columns: 11), .faint)
        line.append(
            "\(Percentage.exact(analysis.dive.efficiency)) efficient, \(HumanSize.short(analysis.dive.wastedBytes)) wasted"
        )
        lines.append(line)
        guard !analysis.paths.isEmpty else { return lines }
        lines.append(StyledLine("   Wasted  Path", .faint))
        for path in analysis.paths.prefix(20) {
            lines.append(
                StyledLine(
                    " " + Self.right(HumanSize.short(path.bytes), 8) + "  /" + VisibleText.escaped(path.path.bytes)))
        }
        return lines
    }

    private static func tally(_ files: FileTally) -> String {
        files.count == 0 ? "0" : "\(files.count) (\(HumanSize.short(files.bytes)))"
    }

    static func right(_ text: String, _ columns: Int) -> String {
        String(repeating: " ", count: max(0, columns - TerminalText.width(of: text))) + text
    }

    // MARK: Files

    func treePane(_ layout: ViewLayout) -> [StyledLine] {
        let width = layout.tree.width
        var lines = subject.pair == nil ? [treeTitle, treeHeading(width)] : [pairTitle, pairHeading(width)]
        let end = lines.count + layout.tree.height
        for index in tree.window(layout.tree.height, of: rows.nodes.count) where subject.isRead && lines.count < end {
            lines += treeLines(index, width)
        }
        if !subject.isRead {
            lines.append(StyledLine("  Reading the lists of files…", .faint))
        } else if rows.nodes.isEmpty {
            let isFiltered = filter.matches != nil || !hidden.isEmpty
            let isEqual = subject.pair != nil && filter.matches == nil && hidden == [.unmodified]
            let text = isEqual ? "The files are equal." : isFiltered ? "No file is left by the filters." : "No files."
            lines.append(StyledLine("  " + text, .faint))
        }
        return Array(lines.prefix(end))
    }

    private var treeTitle: StyledLine {
        let style: TextStyle = pane == .tree ? .strong : .faint
        guard !subject.layers.isEmpty else { return StyledLine(" Files", style) }
        let layer = comparison.layer + 1
        var line = StyledLine(
            mode == .layer || layer == 1 ? " Files at layer \(layer)" : " Files, layers 2 to \(layer) together", style)
        switch order {
        case .name: break
        case .size: line.append(", by size", style)
        case .largest: line.append(", largest first", style)
        }
        let names = FileChange.allCases.filter(hidden.contains).map { "\($0)" }
        if !names.isEmpty { line.append("  without " + names.joined(separator: ", "), .modified) }
        return line
    }

    /// Narrow panes show no owners and permissions, as in dive.
    func showsAttributes(_ width: Int) -> Bool { showsAttributes && width >= 60 }

    private func treeHeading(_ width: Int) -> StyledLine {
        let attributes = showsAttributes(width) ? " Permission  UID:GID  " : ""
        return StyledLine("  " + attributes + "    Size  File", .faint)
    }

    /// The line of a file, or its lines where names are wrapped.
    func treeLines(_ index: Int, _ width: Int) -> [StyledLine] {
        if subject.pair != nil { return [pairLine(index, width)] }
        let (line, style) = treeLine(index, width)
        guard wrapsNames, line.width > width else { return [line.fitted(to: width).styled(style)] }
        return line.wrapped(to: width).map { $0.fitted(to: width).styled(style) }
    }

    private func treeLine(_ index: Int, _ width: Int) -> (StyledLine, TextStyle) {
        let node = Int(rows.nodes[index])
        let change = comparison.change(of: node) ?? .unmodified
        var line = StyledLine(" ")
        line.append(Self.mark(change))
        if let entry = entry(of: node) {
            if showsAttributes(width) {
                let owner = TerminalText.padded("\(entry.owner):\(entry.group)", columns: 9)
                line.append(" \(FileModeText.text(entry))  \(owner)")
            }
            line.append(Self.right(HumanSize.short(comparison.size(of: node)), 8) + "  ")
            line.append(FileName.text(entry, name(of: node)))
        }
        let style: TextStyle =
            index == tree.selected ? pane == .tree ? .selected : .marked : Self.style(change)
        return (line, style)
    }

    /// The name of a node with its place in the tree, or its path where there is no tree.
    func name(of node: Int) -> String {
        let tree = subject.tree
        if order == .largest { return "/" + VisibleText.escaped(tree.path(of: node).bytes) }
        let marker = !isDirectory(node) ? "  " : collapsed[node] ? "▸ " : "▾ "
        // A deep file must still show its name.
        let depth = min(tree.depth(of: node) - 1, 20)
        return String(repeating: "  ", count: depth) + marker + VisibleText.escaped(tree.name(of: node))
    }

    static func mark(_ change: FileChange) -> String {
        switch change {
        case .unmodified: " "
        case .added: "+"
        case .modified: "~"
        case .removed: "-"
        }
    }

    static func style(_ change: FileChange) -> TextStyle {
        switch change {
        case .unmodified: .plain
        case .added: .added
        case .modified: .modified
        case .removed: .removed
        }
    }
}
