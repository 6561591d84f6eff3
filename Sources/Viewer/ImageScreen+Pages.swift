import Comparison
import Console
import GoCompat
import Inspector
import Linux
import Packages

extension ImageView {
    func wastePage(_ layout: ViewLayout) -> [StyledLine] {
        let paths = subject.image.analysis.paths
        var lines = [StyledLine("   Wasted  Copies  In layers  Reason         Path", .strong)]
        if paths.isEmpty { lines.append(StyledLine("  Nothing is stored in vain.", .faint)) }
        for index in waste.window(layout.list.height, of: paths.count) {
            let path = paths[index]
            let layers = subject.tree.node(at: path.path).map { node in
                subject.tree.files(at: node).map { "\($0.layer + 1)" }.joined(separator: ",")
            }
            let reasons = path.reasons.map(\.rawValue).joined(separator: ",")
            let text =
                " " + Self.right(HumanSize.short(path.bytes), 8) + Self.right("\(path.count)", 8) + "  "
                + TerminalText.padded((layers ?? "").ellipsized(to: 9), columns: 11)
                + TerminalText.padded(reasons.ellipsized(to: 13), columns: 15) + "/"
                + VisibleText.escaped(path.path.bytes)
            lines.append(listLine(text, isSelected: index == waste.selected))
        }
        return lines
    }

    func linesPage(_ layout: ViewLayout) -> [StyledLine] {
        var lines = [StyledLine("  Line      Size    Wasted  Source", .strong)]
        for index in self.lines.window(layout.list.height, of: subject.layers.count) {
            let layer = subject.layers[index]
            let source = subject.sources[index].map { source in
                source.origin.text.split(separator: "\n").map { TerminalText.visibleLine(Array($0.utf8)) }.joined(
                    separator: "↵")
            }
            let text =
                Self.right(subject.lines(of: index) ?? "-", 6) + Self.right(HumanSize.short(layer.size), 10)
                + Self.right(HumanSize.short(layer.reclaimable.total), 10) + "  "
                + (source.flatMap { $0.isEmpty ? nil : $0 } ?? subject.command(of: index))
            lines.append(listLine(text, isSelected: index == self.lines.selected))
        }
        return lines
    }

    func packagesPage(_ layout: ViewLayout) -> [StyledLine] {
        var lines = [StyledLine(" Packages of layer \(selectedLayer + 1)", .strong)]
        if packageChanges.isEmpty { lines.append(StyledLine("  The layer changes no package.", .faint)) }
        for index in packages.window(layout.list.height, of: packageChanges.count) {
            let change = packageChanges[index]
            let mark = change.old.isEmpty ? "+" : change.new.isEmpty ? "-" : "~"
            let versions = [change.old, change.new].filter { !$0.isEmpty }.map { $0.joined(separator: ",") }
            let size = change.sizeChange.map { ($0 < 0 ? "-" : "+") + HumanSize.short(Int64(clamping: $0.magnitude)) }
            let text =
                " \(mark) " + TerminalText.padded(change.manager.rawValue, columns: 7)
                + Self.right(size ?? "", 10) + "  "
                + VisibleText.escaped(Array("\(change.name)  \(versions.joined(separator: " → "))".utf8))
            lines.append(listLine(text, isSelected: index == packages.selected))
        }
        return lines
    }

    func contentPage(_ layout: ViewLayout) -> [StyledLine] {
        guard let content else { return [] }
        var lines = [StyledLine(" \(content.title)", .strong)]
        let count = content.lineCount(size.columns)
        if count == 0 { lines.append(StyledLine("  The file is empty.", .faint)) }
        for index in content.position.window(layout.list.height, of: count) {
            let line = content.line(index, columns: size.columns)
            lines.append(index == content.position.selected ? line.fitted(to: size.columns).styled(.marked) : line)
        }
        return lines
    }

    func listLine(_ text: String, isSelected: Bool) -> StyledLine {
        StyledLine(text).fitted(to: size.columns).styled(isSelected ? .selected : .plain)
    }
}
