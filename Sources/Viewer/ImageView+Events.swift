import Console
import Inspector
import Layers
import Linux

extension ImageView {
    /// Takes an event; returns the work that is to be done for it, if any.
    mutating func handle(_ event: TerminalEvent) -> Effect? {
        if case .resize(let columns, let rows) = event {
            size = WindowSize(columns: columns, rows: rows)
        } else {
            message = ""
            isFailure = false
        }
        defer {
            // Two images have one tree and no list of layers.
            if subject.pair != nil { pane = .tree }
            layout()
        }
        switch event {
        case .key(let key): return isTyping ? type(key) : press(key)
        case .paste(let text):
            if isTyping { setFilter(filter.text + Self.line(text), isRegularExpression: filter.isRegularExpression) }
            return nil
        case .click(let column, let row): return click(column, row)
        case .wheel(let steps, let column, let row):
            scroll(steps, column, row)
            return nil
        case .resize: return nil
        }
    }

    /// The first line of pasted text.
    private static func line(_ text: String) -> String {
        let line = text.prefix { !$0.isNewline }
        return String(line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.map(Character.init))
    }

    // MARK: Typing

    private mutating func type(_ key: TerminalKey) -> Effect? {
        var text = filter.text
        switch key {
        case .enter:
            isTyping = false
            pane = .tree
            return nil
        case .escape, .control("c"):
            isTyping = false
            setFilter("", isRegularExpression: filter.isRegularExpression)
            return nil
        case .tab:
            setFilter(text, isRegularExpression: !filter.isRegularExpression)
            return nil
        case .backspace:
            if text.isEmpty { isTyping = false }
            text = String(text.dropLast())
        case .control("u"): text = ""
        case .character(let character): text.append(character)
        case .up: return move(-1)
        case .down: return move(1)
        default: return nil
        }
        setFilter(text, isRegularExpression: filter.isRegularExpression)
        return nil
    }

    // MARK: Keys

    private mutating func press(_ key: TerminalKey) -> Effect? {
        if key == .control("c") { return .quit }
        guard let action = bindings.action(for: key, in: contexts) else {
            show(message: "no such key here: \(bindings.hint(.help) ?? "?") lists the keys")
            return nil
        }
        return perform(action)
    }

    /// The parts of the view whose keys count now.
    private var contexts: [ViewContext] {
        switch page {
        case .main: [pane == .layers ? .layers : .files, .main, .everywhere]
        case .content: [.content, .everywhere]
        case .waste, .lines, .packages, .help: [.list, .everywhere]
        }
    }

    private mutating func perform(_ action: ViewAction) -> Effect? {
        switch action {
        case .suspend: return .suspend
        case .back:
            if page == .main { return .quit }
            page = .main
        case .help: page = page == .help ? .main : .help
        case .up: return move(-1)
        case .down: return move(1)
        case .pageUp: return move(-pageHeight)
        case .pageDown: return move(pageHeight)
        case .first: return move(-Int(Int32.max))
        case .last: return move(Int(Int32.max))
        default: return performOnPage(action)
        }
        return nil
    }

    private mutating func performOnPage(_ action: ViewAction) -> Effect? {
        switch page {
        case .content: performInContent(action)
        case .main: return performOnMain(action)
        case .waste, .lines, .packages, .help:
            switch action {
            case .cancel, .left: page = .main
            case .open, .right: jump()
            case .wasted: page = page == .waste ? .main : .waste
            case .lines: page = page == .lines ? .main : .lines
            case .packages where page == .packages: page = .main
            default: show(message: "packages are listed from the layers and files")
            }
        }
        return nil
    }

    private mutating func performOnMain(_ action: ViewAction) -> Effect? {
        switch action {
        case .nextPane, .wasted, .lines, .packages:
            guard subject.pair == nil else {
                show(message: "not with two images: lamina analyze shows one of them")
                return nil
            }
            return performOnOneImage(action)
        case .filter: isTyping = true
        case .cancel: setFilter("", isRegularExpression: filter.isRegularExpression)
        case .sort: nextOrder()
        case .largest: setOrder(order == .largest ? .name : .largest)
        case .attributes: showsAttributes.toggle()
        case .added: toggleHidden(.added)
        case .removed: toggleHidden(.removed)
        case .modified: toggleHidden(.modified)
        case .unmodified: toggleHidden(.unmodified)
        case .wrap: wrapsNames.toggle()
        default: return pane == .layers ? performInLayers(action) : performInTree(action)
        }
        return nil
    }

    private mutating func performOnOneImage(_ action: ViewAction) -> Effect? {
        switch action {
        case .nextPane: pane = pane == .layers ? .tree : .layers
        case .wasted: page = .waste
        case .lines: page = .lines
        default: return subject.layers.isEmpty ? nil : .listPackages(layer: selectedLayer)
        }
        return nil
    }

    private mutating func performInLayers(_ action: ViewAction) -> Effect? {
        switch action {
        case .compareAll: compare(.aggregated)
        case .compareLayer: compare(.layer)
        case .right, .open: pane = .tree
        default: break
        }
        return nil
    }

    private mutating func performInTree(_ action: ViewAction) -> Effect? {
        switch action {
        case .viewOld:
            guard subject.pair != nil else {
                show(message: "there is an old file with two images only: lamina analyze OLD NEW")
                return nil
            }
            return open(inOld: true)
        case .collapseAll: toggleAll()
        case .collapse:
            if let node = selectedNode, isDirectory(node) { setCollapsed(node, !collapsed[node]) }
        case .left: leave()
        case .right: enter()
        case .open: return open()
        case .copyOut:
            guard let node = selectedNode, let layer = layerOfFile(node) else { break }
            return .copyOut(node: node, layer: layer)
        default: break
        }
        return nil
    }

    /// The layer after which the file of a node is there.
    private func layerOfFile(_ node: Int) -> Int? {
        comparison.change(of: node).map { $0 == .removed ? comparison.base : comparison.layer }
    }

    private mutating func performInContent(_ action: ViewAction) {
        switch action {
        case .cancel: page = .main
        case .hex: content?.toggleHex(size.columns)
        case .left:
            guard let column = content?.column, column > 0 else {
                page = .main
                return
            }
            content?.column = max(0, column - 8)
        case .right: if content?.showsHex == false { content?.column += 8 }
        case .open: _ = move(1)
        default: break
        }
    }

    // MARK: Moving

    private var pageHeight: Int {
        let layout = ViewLayout(self)
        switch page {
        case .main: return max(1, (pane == .layers ? layout.layers : layout.tree).height - 1)
        default: return max(1, layout.list.height - 1)
        }
    }

    private mutating func move(_ steps: Int) -> Effect? {
        switch page {
        case .main where pane == .layers && !isTyping:
            let before = selectedLayer
            layers.move(by: steps, of: subject.layers.count)
            if selectedLayer != before { compare() }
        case .main: tree.move(by: steps, of: rows.nodes.count)
        case .waste: waste.move(by: steps, of: subject.image.analysis.paths.count)
        case .lines: lines.move(by: steps, of: subject.layers.count)
        case .packages: packages.move(by: steps, of: packageChanges.count)
        case .help: help.move(by: steps, of: helpLines.count)
        case .content:
            let count = content?.lineCount(size.columns) ?? 0
            content?.position.move(by: steps, of: count)
        }
        return nil
    }

    /// Goes to the directory of the selected file, or closes the selected directory.
    private mutating func leave() {
        guard let node = selectedNode else {
            pane = .layers
            return
        }
        let parent = subject.tree.parent(of: node)
        if order != .largest, isDirectory(node), !collapsed[node] {
            setCollapsed(node, true)
        } else if parent > ImageTree.root, order != .largest {
            select(parent)
        } else {
            pane = .layers
        }
    }

    /// Opens the selected directory and goes into it.
    private mutating func enter() {
        guard let node = selectedNode, isDirectory(node), order != .largest else { return }
        let wasOpen = !collapsed[node]
        setCollapsed(node, false)
        let next = tree.selected + 1
        let isInside = rows.nodes.indices.contains(next) && Int(rows.nodes[next]) < subject.tree.end(of: node)
        if wasOpen, isInside { tree.select(next, of: rows.nodes.count) }
    }

    private mutating func open(inOld isOld: Bool = false) -> Effect? {
        guard let node = selectedNode, let entry = entry(of: node) else { return nil }
        if isOld, subject.tree.file(at: node, after: 0) == nil {
            show(message: "the old image does not have this file", isFailure: true)
            return nil
        }
        if isDirectory(node) {
            setCollapsed(node, !collapsed[node])
            return nil
        }
        let shown = isOld ? subject.tree.file(at: node, after: 0) : comparison.file(at: node, in: subject.tree)
        if let shown, let place = subject.place(of: shown, at: node) { return .load(place, layer: shown.layer) }
        switch entry.kind {
        case .symlink:
            show(message: "a symbolic link to \(VisibleText.escaped(entry.linkTarget.bytes))")
        case .hardLink:
            show(message: "a hard link to a file that is not in the image", isFailure: true)
        default: show(message: "this file has no content", isFailure: true)
        }
        return nil
    }

    /// Goes from a line of a list to what it is about.
    private mutating func jump() {
        switch page {
        case .waste:
            guard subject.image.analysis.paths.indices.contains(waste.selected) else { return }
            let path = subject.image.analysis.paths[waste.selected].path
            guard let node = subject.tree.node(at: path), let last = subject.tree.files(at: node).last else { return }
            layers.select(last.layer, of: subject.layers.count)
            hide([])
            setFilter("", isRegularExpression: filter.isRegularExpression)
            compare()
            reveal(node)
            pane = .tree
        case .lines:
            layers.select(lines.selected, of: subject.layers.count)
            compare()
            pane = .layers
        default: break
        }
        page = .main
    }

    // MARK: The mouse

    private mutating func click(_ column: Int, _ row: Int) -> Effect? {
        let layout = ViewLayout(self)
        guard page == .main else {
            guard let line = layout.list.line(column, row) else { return nil }
            switch page {
            case .waste: waste.select(waste.top + line, of: subject.image.analysis.paths.count)
            case .packages: packages.select(packages.top + line, of: packageChanges.count)
            case .lines: lines.select(lines.top + line, of: subject.layers.count)
            default: break
            }
            return nil
        }
        if let line = layout.layers.line(column, row), layers.top + line < subject.layers.count {
            pane = .layers
            return move(layers.top + line - layers.selected)
        }
        guard let line = layout.tree.line(column, row), let index = fileIndex(atLine: line, layout.tree) else {
            return nil
        }
        let isAgain = pane == .tree && tree.selected == index
        pane = .tree
        tree.select(index, of: rows.nodes.count)
        return isAgain ? open() : nil
    }

    private mutating func scroll(_ steps: Int, _ column: Int, _ row: Int) {
        let layout = ViewLayout(self)
        if page == .main {
            if layout.layers.line(column, row) != nil { pane = .layers }
            if layout.tree.line(column, row) != nil { pane = .tree }
        }
        _ = move(steps)
    }
}
