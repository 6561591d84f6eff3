import Configuration
import Console
import Diagnostics
import Testing

@testable import Viewer

/// The `[keys]` of the configuration.
@Suite struct KeyBindingsTests {
    /// Settings as `action=key,key`.
    private static func settings(_ texts: [String]) -> [Setting] {
        texts.enumerated().map { index, text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let keys = parts[1].isEmpty ? [] : parts[1].split(separator: " ").map(String.init)
            return Setting(
                key: "keys.\(parts[0])", command: "keys", option: parts[0], value: .text(keys), file: "/c.toml",
                line: index + 2)
        }
    }

    private static func bindings(_ texts: String...) throws -> KeyBindings { try KeyBindings(settings(texts)) }

    /// Every key of an action and of a part of the view means one thing, and every action has a key that the help names.
    @Test func everyActionHasAKey() {
        for action in ViewAction.allCases {
            #expect(KeyBindings.standard.hint(action) != nil, "\(action)")
            for (context, key) in action.standardKeys {
                #expect(KeyBindings.standard.action(for: key, in: [context]) == action, "\(action)")
            }
        }
        let named = Set(ImageView(ViewFixture.subject, size: .init(columns: 80, rows: 24)).helpLines.flatMap(\.actions))
        #expect(named == Set(ViewAction.allCases))
    }

    @Test(arguments: [
        ("/", TerminalKey.character("/")), ("X", .character("X")), ("é", .character("é")), ("ctrl-x", .control("x")),
        ("Ctrl-Space", .control(" ")), ("ctrl-/", .control("/")), ("space", .character(" ")), ("PgUp", .pageUp),
        ("shift-tab", .backTab), ("esc", .escape), ("delete", .delete), ("ENTER", .enter),
    ])
    func keysHaveNames(_ name: String, _ key: TerminalKey) throws {
        #expect(try TerminalKey(named: name) == key)
        #expect(try TerminalKey(named: key.name) == key)
    }

    @Test(arguments: [
        ("help=f13", "'f13' is no key"), ("help=ctrl-m", "a terminal sends 'enter' for 'ctrl-m'"),
        ("help=ctrl-i", "a terminal sends 'tab' for 'ctrl-i'"), ("help=ctrl-c", "'ctrl-c' always leaves the view"),
        ("help=ctrl-1", "'ctrl-1' is no key"), ("help=\u{1b}", "is no key"), ("help=xy", "'xy' is no key"),
    ])
    func whatIsNoKeyIsRefused(_ setting: String, _ reason: String) throws {
        let settings = Self.settings(["filter=f", setting])
        let error = #expect(throws: ConfigurationError.self) { try KeyBindings(settings) }
        #expect(error?.message.hasPrefix("'/c.toml', line 3: 'keys.help' cannot be so: ") == true)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test func aKeyOfTwoActionsIsRefusedWhereBothCouldBeMeant() throws {
        let error = #expect(throws: ConfigurationError.self) { try Self.bindings("filter=f /", "sort=o f") }
        #expect(error?.message == "'/c.toml', line 3: 'keys.sort' cannot be so: 'f' is a key of 'filter', too")
        #expect(throws: ConfigurationError.self) { try Self.bindings("up=i", "hex=i") }
        #expect(throws: ConfigurationError.self) { try Self.bindings("filter=i", "copy-out=i") }
        let both = try Self.bindings("copy-out=i", "hex=i")
        #expect(both.action(for: .character("i"), in: [.files]) == .copyOut)
        #expect(both.action(for: .character("i"), in: [.content]) == .hex)
    }

    @Test func givenKeysTakeThePlaceOfTheOthers() throws {
        let bindings = try Self.bindings("filter=f", "page-up=x", "back=")
        #expect(bindings.action(for: .character("f"), in: [.main]) == .filter)
        #expect(bindings.action(for: .character("/"), in: [.main]) == nil)
        #expect(bindings.action(for: .character("x"), in: [.files, .everywhere]) == .pageUp)
        #expect(bindings.action(for: .control("e"), in: [.files]) == .copyOut)
        #expect(bindings.action(for: .character("q"), in: [.everywhere]) == nil)
        #expect(bindings.hint(.hex) == "Tab" && bindings.hint(.back) == nil)
    }

    @Test func theViewHeedsThem() throws {
        let bindings = try Self.bindings("filter=f", "down=n", "help=h")
        var view = ImageView(ViewFixture.subject, size: .init(columns: 80, rows: 24), bindings: bindings)
        _ = view.handle(.key(.character("n")))
        #expect(view.selectedLayer == 1)
        _ = view.handle(.key(.character("j")))
        #expect(view.selectedLayer == 1 && view.message == "no such key here: h lists the keys")
        _ = view.handle(.key(.character("h")))
        #expect(view.page == .help)
        #expect(view.screen.contains { $0.text.contains("   f ") && $0.text.contains("filter by path") })
        _ = view.handle(.key(.character("h")))
        _ = view.handle(.key(.character("f")))
        #expect(view.isTyping)
        _ = view.handle(.key(.control("c")))
        #expect(!view.isTyping && view.handle(.key(.control("c"))) == .quit)
    }
}
