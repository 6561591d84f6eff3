/// An action that a key of the view starts. The raw value is its name in the configuration.
package enum ViewAction: String, CaseIterable, Hashable, Sendable {
    case up, down
    case pageUp = "page-up"
    case pageDown = "page-down"
    case first, last, left, right, open, cancel, back, help, suspend
    case nextPane = "next-pane"
    case filter, sort, largest, attributes, wrap, added, removed, modified, unmodified, wasted, lines, packages
    case compareLayer = "compare-layer"
    case compareAll = "compare-all"
    case collapse
    case collapseAll = "collapse-all"
    case copyOut = "copy-out"
    case viewOld = "view-old"
    case hex
}

/// A part of the view in which keys have a meaning.
enum ViewContext: Hashable, Sendable {
    case everywhere
    /// The page with layers and files.
    case main
    case layers
    case files
    /// The content of a file.
    case content
    /// The other pages.
    case list

    /// Whether a key cannot mean different things in two parts.
    func overlaps(_ other: ViewContext) -> Bool {
        if self == other || self == .everywhere || other == .everywhere { return true }
        let main: Set<ViewContext> = [.main, .layers, .files]
        return (self == .main || other == .main) && main.contains(self) && main.contains(other)
    }
}

extension ViewAction {
    /// The keys that start it without a configuration, in the order in which the help names them.
    var standardKeys: [(context: ViewContext, key: TerminalKey)] {
        func keys(_ contexts: [ViewContext], _ keys: [TerminalKey]) -> [(context: ViewContext, key: TerminalKey)] {
            contexts.flatMap { context in keys.map { (context, $0) } }
        }
        switch self {
        case .up: return keys([.everywhere], [.up, .character("k")])
        case .down: return keys([.everywhere], [.down, .character("j")])
        case .pageUp: return keys([.everywhere], [.pageUp, .character("u")])
        case .pageDown:
            return keys([.everywhere], [.pageDown, .character("d")]) + keys([.content], [.character(" ")])
        case .first: return keys([.everywhere], [.home, .character("g")])
        case .last: return keys([.everywhere], [.end, .character("G")])
        case .left: return keys([.layers, .files, .content, .list], [.left, .character("h")])
        case .right: return keys([.layers, .files, .content, .list], [.right, .character("l")])
        case .open: return keys([.layers, .files, .content, .list], [.enter])
        case .cancel: return keys([.main, .content, .list], [.escape]) + keys([.content], [.backspace])
        case .back: return keys([.everywhere], [.character("q"), .character("Q")])
        case .help: return keys([.everywhere], [.character("?")])
        case .suspend: return keys([.everywhere], [.control("z")])
        case .nextPane: return keys([.main], [.tab, .backTab])
        case .filter: return keys([.main], [.character("/"), .control("f"), .control("/")])
        case .sort: return keys([.main], [.character("s"), .control("o")])
        case .largest: return keys([.main], [.character("b")])
        case .attributes: return keys([.main], [.control("b")])
        case .wrap: return keys([.main], [.control("p")])
        case .added: return keys([.main], [.character("A")]) + keys([.files], [.control("a")])
        case .removed: return keys([.main], [.character("R")]) + keys([.files], [.control("r")])
        case .modified: return keys([.main], [.character("M")])
        case .unmodified: return keys([.main], [.character("U")]) + keys([.files], [.control("u")])
        case .wasted: return keys([.main, .list], [.character("w")])
        case .lines: return keys([.main, .list], [.character("L")])
        case .packages: return keys([.main, .list], [.character("p")])
        case .compareLayer: return keys([.layers], [.control("l")])
        case .compareAll: return keys([.layers], [.control("a"), .character("a")])
        case .collapse: return keys([.files], [.character(" ")])
        case .collapseAll: return keys([.files], [.control(" "), .character("*")])
        case .copyOut: return keys([.files], [.character("x"), .control("e")])
        case .viewOld: return keys([.files], [.character("o")])
        case .hex: return keys([.content], [.character("x"), .tab])
        }
    }

    /// The parts of the view in which a key of the configuration starts it.
    var contexts: Set<ViewContext> {
        let all = Set(standardKeys.map(\.context))
        if all.contains(.everywhere) { return [.everywhere] }
        return all.contains(.main) ? all.subtracting([.layers, .files]) : all
    }
}
