package import Configuration
import Diagnostics

/// The keys of the view and what they start.
package struct KeyBindings: Hashable, Sendable {
    /// The table of the configuration file.
    package static let table = "keys"

    /// The keys without a configuration.
    package static let standard = KeyBindings(chosen: [:])

    private var actions: [ViewContext: [TerminalKey: ViewAction]] = [:]
    /// The keys of each action in the order in which they were given.
    private var keys: [ViewAction: [TerminalKey]] = [:]

    /// The keys of the settings take the place of all keys that their action has otherwise, and are taken from the actions
    /// that have them otherwise.
    ///
    /// - Throws: ``ConfigurationError`` for an action or a key that does not exist, and for a key of two actions.
    package init(_ settings: [Setting]) throws {
        var chosen: [ViewAction: [TerminalKey]] = [:]
        for setting in settings {
            guard let action = ViewAction(rawValue: setting.option), case .text(let names) = setting.value else {
                continue
            }
            let keys = try names.map { name in
                do { return try TerminalKey(named: name) } catch let error as TerminalKey.BadName {
                    throw Self.bad(setting, error.reason)
                }
            }
            for (other, otherKeys) in chosen where Self.overlap(action, other) {
                guard let key = keys.first(where: otherKeys.contains) else { continue }
                throw Self.bad(setting, "'\(key.name)' is a key of '\(other.rawValue)', too")
            }
            chosen[action] = keys
        }
        self.init(chosen: chosen)
    }

    private init(chosen: [ViewAction: [TerminalKey]]) {
        for (action, keys) in chosen {
            for context in action.contexts {
                for key in keys { actions[context, default: [:]][key] = action }
            }
            self.keys[action] = keys
        }
        for action in ViewAction.allCases where chosen[action] == nil {
            for (context, key) in action.standardKeys where !isTaken(key, context, by: chosen) {
                actions[context, default: [:]][key] = action
                // More keys in contents of files go without saying.
                let isNamed = context != .content || action.contexts == [.content]
                if isNamed, !keys[action, default: []].contains(key) { keys[action, default: []].append(key) }
            }
        }
    }

    private func isTaken(_ key: TerminalKey, _ context: ViewContext, by chosen: [ViewAction: [TerminalKey]]) -> Bool {
        chosen.contains { action, keys in keys.contains(key) && action.contexts.contains(where: context.overlaps) }
    }

    private static func overlap(_ one: ViewAction, _ other: ViewAction) -> Bool {
        one.contexts.contains { context in other.contexts.contains(where: context.overlaps) }
    }

    private static func bad(_ setting: Setting, _ reason: String) -> ConfigurationError {
        ConfigurationError(
            .badValue, "'\(setting.file)', line \(setting.line): '\(setting.key)' cannot be so: \(reason)")
    }

    /// The action of a key in the first of some parts of the view that has one for it.
    func action(for key: TerminalKey, in contexts: [ViewContext]) -> ViewAction? {
        contexts.lazy.compactMap { actions[$0]?[key] }.first
    }

    /// The keys of an action, for the help: the first few, as none needs more.
    func help(_ action: ViewAction) -> String { (keys[action] ?? []).prefix(2).map(\.label).joined(separator: " ") }

    /// The first key of an action, for the line at the bottom; `nil` when it has none.
    func hint(_ action: ViewAction) -> String? {
        keys[action]?.first.map { key in
            if case .control(let letter) = key, letter != " " { return "^\(letter.uppercased())" }
            return key.label
        }
    }
}

// MARK: - Names of keys

extension TerminalKey {
    struct BadName: Error {
        let reason: String
    }

    private static let names: [(name: String, key: TerminalKey)] = [
        ("space", .character(" ")), ("ctrl-space", .control(" ")), ("up", .up), ("down", .down), ("left", .left),
        ("right", .right), ("pgup", .pageUp), ("pgdn", .pageDown), ("home", .home), ("end", .end), ("enter", .enter),
        ("esc", .escape), ("tab", .tab), ("shift-tab", .backTab), ("backspace", .backspace), ("delete", .delete),
    ]

    /// The key that a configuration names: a character, `ctrl-x`, or the name of a key.
    init(named name: String) throws(BadName) {
        let lowered = name.lowercased()
        if let known = Self.names.first(where: { $0.name == lowered }) {
            self = known.key
            return
        }
        if name.count == 1, let character = name.first, !character.isWhitespace, !character.isASCIIControl {
            self = .character(character)
            return
        }
        guard lowered.hasPrefix("ctrl-"), lowered.count == 6, let letter = lowered.last,
            letter == "/" || letter.isASCII && letter.isLetter
        else {
            let names = Self.names.map(\.name).joined(separator: ", ")
            throw BadName(
                reason:
                    "'\(name.printable(limit: 50))' is no key; keys are characters, ctrl- with a letter, and \(names)")
        }
        let others: [Character: String] = ["i": "tab", "j": "enter", "m": "enter", "h": "backspace"]
        if let other = others[letter] {
            throw BadName(reason: "a terminal sends '\(other)' for '\(lowered)'")
        }
        guard letter != "c" else { throw BadName(reason: "'ctrl-c' always leaves the view") }
        self = .control(letter)
    }

    /// The name in a configuration.
    var name: String {
        if let known = Self.names.first(where: { $0.key == self }) { return known.name }
        switch self {
        case .character(let character): return String(character)
        case .control(let letter): return "ctrl-\(letter)"
        default: return ""
        }
    }

    /// The name in the help.
    var label: String {
        switch self {
        case .up: "↑"
        case .down: "↓"
        case .left: "←"
        case .right: "→"
        case .pageUp: "PgUp"
        case .pageDown: "PgDn"
        case .backTab: "Shift-Tab"
        case .control(let letter): "Ctrl-" + (letter == " " ? "Space" : letter.uppercased())
        case .character(let character): character == " " ? "Space" : String(character)
        default: name.prefix(1).uppercased() + name.dropFirst()
        }
    }
}

extension Character {
    fileprivate var isASCIIControl: Bool { unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } }
}
