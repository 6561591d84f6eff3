import Console
import GoCompat
import Inspector
import Layers

/// Two images side by side: each file in one line, as it is in the old image and as it is in the new one.
extension ImageView {
    /// Narrower windows have one column of names, with both sizes before it.
    private static let widthOfTwoColumns = 100

    var pairTitle: StyledLine {
        let counts = pairCounts
        var line = StyledLine(" ")
        for (change, word) in [(FileChange.added, "added"), (.modified, "changed"), (.removed, "removed")] {
            line.append("\(counts[Int(change.rawValue)]) \(word)  ", Self.style(change))
        }
        line.append("\(counts[Int(FileChange.unmodified.rawValue)]) equal", .faint)
        if hidden.contains(.unmodified) { line.append(", hidden", .faint) }
        return line
    }

    /// The number of files by their change, without directories.
    static func counts(_ tree: ImageTree, _ comparison: TreeComparison) -> [Int] {
        var counts = [Int](repeating: 0, count: FileChange.allCases.count)
        for node in 1..<max(1, tree.count) {
            guard let file = comparison.file(at: node, in: tree), let change = comparison.change(of: node),
                tree.entry(of: file, at: node).kind != .directory
            else { continue }
            counts[Int(change.rawValue)] += 1
        }
        return counts
    }

    func pairHeading(_ width: Int) -> StyledLine {
        guard width >= Self.widthOfTwoColumns else { return StyledLine("        Old      New  File", .faint) }
        let (left, right) = Self.columns(width)
        let names = subject.names.map { VisibleText.escaped(Array($0.utf8)) }
        var line = StyledLine("   " + names[0], .strong).fitted(to: left)
        line.append("│", .faint)
        line.append(StyledLine("   " + names[1], .strong).fitted(to: right))
        return line
    }

    private static func columns(_ width: Int) -> (left: Int, right: Int) {
        ((width - 1) / 2, width - 1 - (width - 1) / 2)
    }

    func pairLine(_ index: Int, _ width: Int) -> StyledLine {
        let node = Int(rows.nodes[index])
        let change = comparison.change(of: node) ?? .unmodified
        let style = index == tree.selected ? TextStyle.selected : Self.style(change)
        let old = subject.tree.file(at: node, after: 0).map { subject.tree.entry(of: $0, at: node) }
        let new = subject.tree.file(at: node, after: 1).map { subject.tree.entry(of: $0, at: node) }
        let sizes = (old.map { _ in oldFiles?.size(of: node) ?? 0 }, new.map { _ in comparison.size(of: node) })
        guard width >= Self.widthOfTwoColumns else {
            let text =
                " \(Self.mark(change)) " + Self.right(sizes.0.map { HumanSize.short($0) } ?? "", 8) + " "
                + Self.right(sizes.1.map { HumanSize.short($0) } ?? "", 8) + "  "
            let entry = new ?? old
            let shown = entry.map { FileName.text($0, name(of: node)) } ?? ""
            return StyledLine(text + shown).fitted(to: width).styled(style)
        }
        let (left, right) = Self.columns(width)
        var line = pairCell(node, old, sizes.0, change, left).styled(style)
        line.append("│", .faint)
        line.append(pairCell(node, new, sizes.1, change, right).styled(style))
        return line
    }

    private func pairCell(
        _ node: Int, _ entry: LayerEntry?, _ size: Int64?, _ change: FileChange, _ width: Int
    ) -> StyledLine {
        guard let entry, let size else { return StyledLine().fitted(to: width) }
        var line = StyledLine(" " + Self.mark(change))
        if showsAttributes(width) {
            let owner = TerminalText.padded("\(entry.owner):\(entry.group)", columns: 9)
            line.append(" \(FileModeText.text(entry))  \(owner)")
        }
        line.append(Self.right(HumanSize.short(size), 8) + "  " + FileName.text(entry, name(of: node)))
        return line.fitted(to: width)
    }
}
