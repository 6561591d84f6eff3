import Comparison
import Console
import Inspector
import Linux
import OCI
import Testing

@testable import Viewer

@Suite struct ImageViewTests {
    /// The screens of a session, in one file for each size of the window.
    @Test(arguments: ViewFixture.sizes) func screensAreTheExpectedOnes(_ columns: Int, _ rows: Int) throws {
        var text = ""
        let sessions = [
            "", "j j", "j j ^a", "j tab", "j j tab j j", "j tab b", "j tab s", "j tab M U", "j j tab space",
            "tab ^space",
            "/ 'etc", "/ 'et[ tab", "/ 'nothing enter", "w", "w j", "L j", "?", "j tab j j j ^p", "tab ^b end",
        ]
        for session in sessions {
            text += "== \(session)\n"
            for line in ViewFixture.view(columns, rows, session).screen { text += "\(Self.trimmed(line.text))\n" }
        }
        var view = ViewFixture.view(columns, rows)
        let place = ContentPlace(layer: 0, entry: 4)
        view.show(
            place, layer: 0,
            bytes: Array("first\tline\n\u{1b}[31mred\u{1b}[0m \\ é日本\n\(String(repeating: "long ", count: 60))".utf8))
        for words in ["", "right right", "x"] {
            for event in ViewFixture.events(words) { _ = view.handle(event) }
            text += "== content \(words)\n"
            for line in view.screen { text += "\(Self.trimmed(line.text))\n" }
        }
        view.show(packages: try PackageDifference.changes(of: 0, in: ViewFixture.packagedImage()))
        for words in ["", "j"] {
            for event in ViewFixture.events(words) { _ = view.handle(event) }
            text += "== packages \(words)\n"
            for line in view.screen { text += "\(Self.trimmed(line.text))\n" }
        }
        try expectGolden(text, "screens-\(columns)x\(rows).txt")
    }

    /// The screens of two images side by side.
    @Test(arguments: ViewFixture.sizes) func twoImagesAreShownSideBySide(_ columns: Int, _ rows: Int) throws {
        var text = ""
        for session in ["", "U", "j s", "A", "R M", "/ 'host", "space", "b", "?", "tab"] {
            text += "== \(session)\n"
            for line in ViewFixture.pairView(columns, rows, session).screen { text += "\(Self.trimmed(line.text))\n" }
        }
        try expectGolden(text, "pair-\(columns)x\(rows).txt")
    }

    @Test func filesOfTwoImagesAreReadFromTheOneThatHasThem() throws {
        func effect(_ words: String, _ last: Character) -> ImageView.Effect? {
            var view = ViewFixture.pairView(80, 24, words)
            return view.handle(last == "\n" ? .key(.enter) : .key(.character(last)))
        }
        let pair = ViewFixture.pair
        func place(_ image: InspectedImage, _ path: PathBytes) throws -> ContentPlace {
            let node = try #require(image.tree.node(at: path))
            let file = try #require(image.tree.file(at: node, after: image.tree.layerCount - 1))
            return try #require(image.place(of: file))
        }
        let passwd = (try place(pair.old, "etc/passwd"), try place(pair.new, "etc/passwd"))
        #expect(effect("/ 'passwd enter G", "\n") == .load(passwd.1, layer: 1))
        #expect(effect("/ 'passwd enter G", "o") == .load(passwd.0, layer: 0))
        #expect(effect("/ 'hash enter G", "o") == nil)
        let node = try #require(pair.combined.tree.node(at: "etc/passwd"))
        #expect(effect("/ 'passwd enter G", "x") == .copyOut(node: node, layer: 1))
        #expect(ViewFixture.pairView(80, 24, "tab w p L").page == .main)
    }

    /// A name that is wrapped takes several lines, all of which select it.
    /// The screens while the lists of files are read: what is not known is not shown as 0.
    @Test(arguments: ViewFixture.sizes) func layersAreShownBeforeTheirFiles(_ columns: Int, _ rows: Int) throws {
        let subject = ViewFixture.subject
        var view = ImageView(
            ViewedImage(name: subject.name, image: subject.image, sources: subject.sources, isRead: false),
            size: WindowSize(columns: columns, rows: rows))
        var text = ""
        for words in ["", "tab"] {
            for event in ViewFixture.events(words) { _ = view.handle(event) }
            for line in view.screen { text += "\(Self.trimmed(line.text))\n" }
        }
        #expect(!text.contains("efficien") && !text.contains("Added"))
        #expect(text.contains("RUN apt") && !text.contains("busybox"))
        #expect(text.contains("eading the lists of files…"))
    }

    @Test func longNamesAreWrapped() {
        var view = ViewFixture.view(60, 40, "j j tab ^p")
        let name = "srv/a-file-with-quite-a-long-name-that-no-narrow-pane-has-room-for.json"
        let lines = view.screen.map(\.text)
        let first = lines.firstIndex { $0.contains("a-file-with") } ?? 0
        #expect(lines[first + 1].contains("json") && !lines[first].contains("…"))
        _ = view.handle(.click(column: 5, row: first + 1))
        #expect(selected(view) == name)
        for rows in 7...15 {
            let small = ViewFixture.view(60, rows, "j j tab ^p G")
            #expect(small.tree.selected == small.rows.nodes.count - 1)
        }
    }

    private static func trimmed(_ text: String) -> String {
        String(text.reversed().drop { $0 == " " }.reversed())
    }

    /// Any events at any size: the screen has the size of the window and nothing in it moves the cursor.
    @Test(arguments: 0..<60) func everyScreenFillsItsWindowAndHoldsNoControlCharacters(seed: UInt64) throws {
        var random = Linear(state: seed)
        var view = ViewFixture.view(80, 24)
        let words = [
            "j", "k", "u", "d", "g", "G", "tab", "enter", "space", "^space", "left", "right", "^a", "^l", "^r", "^u",
            "A",
            "R", "M", "U", "s", "b", "^b", "w", "L", "p", "?", "q", "esc", "/", "'a", "'.", "'[", "back", "click:3,4",
            "click:50,7", "x", "end", "pgdn",
        ]
        for _ in 0..<120 {
            let size = (Int.random(in: 1...150, using: &random), Int.random(in: 1...50, using: &random))
            let effect: ImageView.Effect?
            if Int.random(in: 0..<8, using: &random) == 0 {
                effect = view.handle(.resize(columns: size.0, rows: size.1))
            } else {
                effect =
                    ViewFixture.events(words.randomElement(using: &random) ?? "j").map { view.handle($0) }.last ?? nil
            }
            if case .listPackages(let layer) = effect {
                let changes = try PackageDifference.changes(of: 0, in: ViewFixture.packagedImage())
                view.show(packages: layer == 0 ? changes : [])
            }
            if case .load(let place, let layer) = effect {
                view.show(place, layer: layer, bytes: (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) })
            }
            let screen = view.screen
            #expect(screen.count == max(1, view.size.rows))
            for line in screen {
                #expect(TerminalText.width(of: line.text) == view.size.columns, "\(line.text)")
                #expect(!line.text.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) })
            }
        }
    }

    /// Hints that do not fit are left out whole.
    @Test(arguments: ["", "tab", "w", "?", "/", "j tab j"]) func hintsAreNotCut(_ words: String) {
        for columns in 20...130 {
            let status = ViewFixture.view(columns, 20, words).screen.last?.text ?? ""
            #expect(!status.contains("…") && TerminalText.width(of: status) == columns)
        }
    }

    // MARK: Keys

    private func selected(_ view: ImageView) -> String {
        view.selectedNode.map { view.subject.tree.path(of: $0).text } ?? "-"
    }

    /// Keys with the path that is selected after them.
    @Test(arguments: [
        ("tab", "bin"), ("tab j", "bin/busybox"), ("tab down down up", "bin/busybox"), ("tab end", "etc/passwd"),
        ("tab G home", "bin"), ("tab j h", "bin"), ("tab j left right right", "bin/busybox"),
        ("tab space j", "etc"), ("tab ^space j", "etc"), ("tab j s", "bin/busybox"), ("tab b", "bin/busybox"),
        ("tab G b", "bin/busybox"),
        ("tab / 'hosts enter j", "etc/hosts"), ("tab / 'hosts esc G", "etc/passwd"),
        ("tab / 'h.*2$ tab enter G", "etc/hosts2"), ("tab pgdn pgup", "bin"), ("j tab U", "etc"),
        ("j tab ^u j", "etc/passwd"), ("j j tab R U A G", "etc/hosts"), ("w enter", "var/cache/big.bin"),
        ("w j enter", "etc/passwd"), ("j click:40,4", "bin/busybox"), ("wq", "bin"),
        ("tab j j j size:60x15", "etc"), ("/ 'passwd back back enter G", "etc/passwd"), ("tab left left left", "bin"),
    ])
    func keysMove(_ words: String, _ path: String) { #expect(selected(ViewFixture.view(80, 24, words)) == path) }

    @Test(arguments: [
        ("", 0), ("j", 1), ("j j j", 2), ("G", 2), ("G g", 0), ("click:5,3", 1), ("L j enter", 1), ("tab j", 0),
        ("w enter", 1),
    ])
    func layersAreSelected(_ words: String, _ layer: Int) {
        let view = ViewFixture.view(80, 24, words)
        #expect(view.selectedLayer == layer && view.comparison.layer == layer)
    }

    @Test func effectsAreLeftToTheProgram() {
        func effect(_ words: String, _ last: TerminalEvent) -> ImageView.Effect? {
            var view = ViewFixture.view(80, 24, words)
            return view.handle(last)
        }
        #expect(effect("", .key(.character("q"))) == .quit)
        #expect(effect("w", .key(.character("q"))) == nil)
        #expect(effect("tab", .key(.control("c"))) == .quit)
        #expect(effect("/", .key(.control("c"))) == nil)
        #expect(effect("", .key(.control("z"))) == .suspend)
        #expect(effect("j", .key(.character("p"))) == .listPackages(layer: 1))
        let tree = ViewFixture.subject.tree
        if let node = tree.node(at: "bin/busybox"), let file = tree.file(at: node, after: 0),
            let place = ViewFixture.subject.image.place(of: file)
        {
            #expect(effect("tab j", .key(.enter)) == .load(place, layer: 0))
            #expect(effect("tab", .click(column: 40, row: 4)) == nil)
            #expect(effect("click:40,4", .click(column: 40, row: 4)) == .load(place, layer: 0))
            #expect(effect("tab j", .key(.control("e"))) == .copyOut(node: node, layer: 0))
        }
        // What a layer removed is read and copied as it was before.
        if let node = tree.node(at: "var/cache/big.bin"), let file = tree.file(at: node, after: 1),
            let place = ViewFixture.subject.image.place(of: file)
        {
            #expect(effect("j j tab / 'big enter G", .key(.enter)) == .load(place, layer: 1))
            #expect(effect("j j tab / 'big enter G", .key(.character("x"))) == .copyOut(node: node, layer: 1))
        }
        #expect(effect("tab j j", .key(.enter)) == nil)
        #expect(ViewFixture.view(80, 24, "tab j j enter").message == "a symbolic link to busybox")
    }

    @Test func pastedTextIsNoKeys() {
        var view = ViewFixture.view(80, 24)
        _ = view.handle(.paste("q"))
        #expect(view.page == .main && view.filter.text.isEmpty)
        _ = view.handle(.key(.character("/")))
        _ = view.handle(.paste("pass\u{1b}\nq"))
        #expect(view.filter.text == "pass")
    }

    @Test func anImageWithoutLayersHasAView() {
        let image = InspectedImage(config: .init(platform: .host), layers: [], contents: NoContents())
        var view = ImageView(ViewedImage(name: "empty", image: image), size: WindowSize(columns: 80, rows: 24))
        for event in ViewFixture.events("j G tab j enter x ^space w enter L enter ? q ^a / 'a enter") {
            #expect(view.handle(event) == nil)
            #expect(view.screen.count == 24)
        }
    }
}

private struct Linear: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
