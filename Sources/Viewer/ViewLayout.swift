import Console

/// The parts of the screen of an image's view.
struct ViewLayout {
    struct Area {
        let column: Int
        let row: Int
        let width: Int
        let height: Int

        /// The line of the area that a place of the screen is in.
        func line(_ column: Int, _ row: Int) -> Int? {
            let columns = self.column..<(self.column + max(0, width))
            let rows = self.row..<(self.row + max(0, height))
            return columns.contains(column) && rows.contains(row) ? row - self.row : nil
        }
    }

    /// Whether both panes are shown side by side.
    let isWide: Bool
    /// The lines of the list of layers, and of the tree, without their headings.
    let layers: Area
    let tree: Area
    /// The lines of a page that is one list, without its heading.
    let list: Area
    /// The lines between the title and the two lines at the bottom.
    let body: Int

    static let minimum = (columns: 20, rows: 7)

    init(_ view: ImageView) {
        let (columns, rows) = (view.size.columns, view.size.rows)
        body = max(0, rows - 3)
        isWide = columns >= 80 && view.subject.pair == nil
        let left = isWide ? min(columns * 2 / 5, 90) : columns
        let isMain = view.page == .main
        let showsLayers = isMain && (isWide || view.pane == .layers) && view.subject.pair == nil
        let showsTree = isMain && (isWide || view.pane == .tree || view.subject.pair != nil)
        let layerLines = min(view.subject.layers.count, max(3, (body - 1) / 2), max(0, body - 1))
        layers = Area(column: 0, row: 2, width: showsLayers ? left : 0, height: layerLines)
        let treeLeft = isWide ? left + 1 : 0
        tree = Area(
            column: treeLeft, row: 3, width: showsTree ? columns - treeLeft : 0, height: max(0, body - 2))
        list = Area(column: 0, row: 2, width: isMain ? 0 : columns, height: max(0, body - 1))
    }
}
