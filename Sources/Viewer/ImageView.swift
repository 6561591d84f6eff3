import Comparison
import Console
import Diagnostics
import Inspector
import Layers
import Linux

/// The state of the view of an image on a terminal.
///
/// Events change it, see ``handle(_:)``, and a screen is made from it, see ``screen``: neither does anything else, so both
/// are tested without a terminal.
struct ImageView: Sendable {
    enum Page: Hashable, Sendable {
        case main
        /// The paths that layers store in vain.
        case waste
        /// The layers with the lines of the Dockerfile.
        case lines
        /// The packages that the selected layer installs, removes or replaces.
        case packages
        case content
        case help
    }

    enum Pane: Hashable, Sendable { case layers, tree }

    /// Work that an event asks of the program.
    enum Effect: Hashable, Sendable {
        case quit
        case suspend
        /// Read a file and hand its bytes to ``ImageView/show(_:bytes:)``.
        ///
        /// The file is one of a layer of the tree, which matters where the tree has the files of two images.
        case load(ContentPlace, layer: Int)
        /// Copy a file or directory out of the image, and hand the outcome to ``ImageView/show(message:isFailure:)``.
        case copyOut(node: Int, layer: Int)
        /// Read the records of packages, and hand the changes of a layer to ``ImageView/show(packages:)``.
        case listPackages(layer: Int)
    }

    /// The search for paths.
    struct Filter: Hashable, Sendable {
        var text = ""
        var isRegularExpression = false
        /// Of each node whether it is found; `nil` without a valid pattern.
        var matches: [Bool]?
        /// The reason why the text is no pattern.
        var failure: String?
    }

    let subject: ViewedImage
    let bindings: KeyBindings
    var size: WindowSize
    var page = Page.main
    var pane = Pane.layers
    var layers = ListPosition()
    var tree = ListPosition()
    var waste = ListPosition()
    var lines = ListPosition()
    var help = ListPosition()
    var content: ContentPage?
    var packages = ListPosition()
    /// The changes of the selected layer, as they were read last.
    private(set) var packageChanges: [PackageDifference] = []

    private(set) var mode = TreeComparison.Mode.layer
    private(set) var comparison: TreeComparison
    private(set) var rows: TreeRows
    private(set) var collapsed: [Bool]
    private(set) var hidden: Set<FileChange> = []
    private(set) var order = TreeRows.Order.name
    private(set) var filter = Filter()
    /// Whether keys are text for the filter.
    var isTyping = false
    var showsAttributes = true
    /// Whether long names go on in the next line.
    var wrapsNames = false
    /// The old one of two images side by side, for the sizes of its files.
    let oldFiles: TreeComparison?
    /// The number of files of two images by their change.
    let pairCounts: [Int]
    /// The outcome of the last event, until the next one.
    var message = ""
    var isFailure = false

    init(_ subject: ViewedImage, size: WindowSize, bindings: KeyBindings = .standard) {
        self.subject = subject
        self.bindings = bindings
        self.size = size
        collapsed = [Bool](repeating: false, count: subject.tree.count)
        oldFiles = subject.pair == nil ? nil : TreeComparison(subject.tree, layer: 0)
        comparison = TreeComparison(subject.tree, layer: subject.pair == nil ? 0 : 1)
        pairCounts = subject.pair == nil ? [] : Self.counts(subject.tree, comparison)
        if subject.pair != nil {
            layers.select(1, of: 2)
            pane = .tree
            hidden = [.unmodified]
        }
        rows = TreeRows(subject.tree, comparison, collapsed: collapsed, hidden: hidden)
        layout()
    }

    /// Keeps the selected lines on the screen.
    mutating func layout() {
        let layout = ViewLayout(self)
        layers.show(in: layout.layers.height, of: subject.layers.count)
        tree.show(in: layout.tree.height, of: rows.nodes.count)
        if wrapsNames { showWholeSelection(layout.tree) }
        waste.show(in: layout.list.height, of: subject.image.analysis.paths.count)
        lines.show(in: layout.list.height, of: subject.layers.count)
        help.show(in: layout.list.height, of: helpLines.count)
        packages.show(in: layout.list.height, of: packageChanges.count)
        let contentLines = content?.lineCount(size.columns) ?? 0
        content?.position.show(in: layout.list.height, of: contentLines)
    }

    // MARK: The tree

    /// The selected node; `nil` when the tree shows none.
    var selectedNode: Int? { rows.nodes.indices.contains(tree.selected) ? Int(rows.nodes[tree.selected]) : nil }

    var selectedLayer: Int { layers.selected }

    /// Compares anew, for another layer or mode.
    mutating func compare(_ mode: TreeComparison.Mode? = nil) {
        self.mode = mode ?? self.mode
        guard !subject.layers.isEmpty else { return }
        comparison = TreeComparison(subject.tree, layer: selectedLayer, mode: self.mode)
        rebuild()
    }

    /// Lists the tree anew, and selects the node that was selected or the nearest one above it that is still there. A
    /// selection in the first line stays there, unless it follows its file to another order.
    mutating func rebuild(followingFile: Bool = false) {
        let node = selectedNode
        let isFirst = tree.selected == 0 && !followingFile
        rows = TreeRows(
            subject.tree, comparison, collapsed: collapsed, hidden: hidden, matches: filter.matches, order: order)
        if let node, !isFirst { select(node) } else { tree.select(0, of: rows.nodes.count) }
    }

    mutating func select(_ node: Int) {
        var wanted = node
        while wanted > ImageTree.root {
            if let index = rows.nodes.firstIndex(of: Int32(truncatingIfNeeded: wanted)) {
                tree.select(index, of: rows.nodes.count)
                return
            }
            wanted = subject.tree.parent(of: wanted)
        }
        tree.select(0, of: rows.nodes.count)
    }

    /// Opens all directories above a node and selects it.
    mutating func reveal(_ node: Int) {
        var parent = subject.tree.parent(of: node)
        while parent > ImageTree.root {
            collapsed[parent] = false
            parent = subject.tree.parent(of: parent)
        }
        rebuild()
        select(node)
    }

    /// Whether something is below a node in the present comparison.
    func isDirectory(_ node: Int) -> Bool {
        entry(of: node)?.kind == .directory
            || subject.tree.children(of: node).contains { comparison.change(of: $0) != nil }
    }

    /// The entry to show for a node, and the layer it is in.
    func entry(of node: Int) -> LayerEntry? {
        comparison.file(at: node, in: subject.tree).map { subject.tree.entry(of: $0, at: node) }
    }

    mutating func setCollapsed(_ node: Int, _ isCollapsed: Bool) {
        guard collapsed[node] != isCollapsed else { return }
        collapsed[node] = isCollapsed
        rebuild()
    }

    /// Collapses all directories, or opens all when the selected one is collapsed.
    mutating func toggleAll() {
        let isOpening = selectedNode.map { collapsed[$0] } ?? collapsed.contains(true)
        for node in collapsed.indices { collapsed[node] = !isOpening }
        rebuild()
    }

    mutating func toggleHidden(_ change: FileChange) {
        if hidden.remove(change) == nil { hidden.insert(change) }
        rebuild()
    }

    mutating func hide(_ changes: Set<FileChange>) {
        hidden = changes
        rebuild()
    }

    mutating func nextOrder() {
        switch order {
        case .name: order = .size
        case .size: order = .largest
        case .largest: order = .name
        }
        setOrder(order)
    }

    mutating func setOrder(_ order: TreeRows.Order) {
        self.order = order
        rebuild(followingFile: true)
        // The largest files are asked for, and not the place of the one that is selected.
        if order == .largest { tree.select(0, of: rows.nodes.count) }
    }

    // MARK: The filter

    mutating func setFilter(_ text: String, isRegularExpression: Bool) {
        filter.text = text
        filter.isRegularExpression = isRegularExpression
        filter.failure = nil
        do {
            if text.isEmpty {
                filter.matches = nil
            } else {
                var matcher = try PathMatcher(
                    isRegularExpression ? PathPattern(regularExpression: text) : PathPattern(containing: text))
                filter.matches = try matcher.matches(in: subject.tree)
            }
        } catch {
            // The files found last stay, as the pattern is still being typed.
            filter.failure = error.message
        }
        rebuild()
    }

    // MARK: What the program hands back

    mutating func show(_ place: ContentPlace, layer: Int, bytes: [UInt8]) {
        let entry = subject.source(of: layer).entry(at: place)
        content = ContentPage(
            title: "/" + VisibleText.escaped(entry.path.bytes) + " of \(subject.origin(of: place, layer: layer))",
            size: entry.size, bytes: bytes)
        page = .content
        layout()
    }

    mutating func show(packages changes: [PackageDifference]) {
        packageChanges = changes
        packages = ListPosition()
        page = .packages
        layout()
    }

    mutating func show(message: String, isFailure: Bool = false) {
        self.message = message
        self.isFailure = isFailure
    }
}
