import Console
import Inspector

/// Long names that go on in the next line.
extension ImageView {
    /// Moves the tree on until all lines of the selected file are on the screen.
    mutating func showWholeSelection(_ area: ViewLayout.Area) {
        guard rows.nodes.indices.contains(tree.selected), area.width > 0 else { return }
        var first = tree.selected
        var lines = treeLines(first, area.width).count
        while first > tree.top {
            lines += treeLines(first - 1, area.width).count
            guard lines <= area.height else { break }
            first -= 1
        }
        tree.drop(to: first)
    }

    /// The file that is shown in a line of the tree's area.
    func fileIndex(atLine line: Int, _ area: ViewLayout.Area) -> Int? {
        var index = tree.top
        var end = 0
        while rows.nodes.indices.contains(index) {
            end += wrapsNames ? treeLines(index, area.width).count : 1
            if line < end { return index }
            index += 1
        }
        return nil
    }
}
