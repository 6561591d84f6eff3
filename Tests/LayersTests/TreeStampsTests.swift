import Layers
import Linux
import Testing

/// Changes found by inode and time of change.
@Suite(.enabled(if: Host.isRoot, "needs root"))
struct TreeStampsTests {
    private static let tree = """
        mkdir -p t/d/e t/d-x t/empty && printf hello > t/d/f && printf deep > t/d/e/f && ln t/d/f t/d/g
        ln -s f t/d/s && printf x > t/d-x/f && printf y > t/y && mkfifo t/p
        find t -exec touch -h -d @1000000000 {} +
        """

    /// The effects of a command, and the changes found: kinds by their first letters, whiteouts as `-`.
    @Test(
        "The changes of a command are found by its stamps",
        arguments: [
            ("true", []),
            ("cat t/y t/d/f && ls -R t", []),
            ("printf z > t/y", ["r y"]),
            ("printf z > t/y && touch -d @1000000000 t/y", ["r y"]),
            ("chmod 600 t/y", ["r y"]),
            ("chmod 644 t/y", ["r y"]),
            ("chown 0:0 t/y", ["r y"]),
            ("touch -d @1000000000 t/y", ["r y"]),
            ("printf longer > t/d/e/f", ["d d", "d d/e", "r d/e/f"]),
            ("printf hallo > t/d/f", ["d d", "r d/f", "r d/g"]),
            ("rm t/d/g", ["d d", "r d/f", "- d/g"]),
            ("rm t/y", ["- y"]),
            ("rm -r t/d", ["- d"]),
            ("rm -r t/d && mkdir t/d", ["d d", "- d/e", "- d/f", "- d/g", "- d/s"]),
            ("rm -r t/d && printf d > t/d", ["r d"]),
            ("rm t/y && mkdir t/y && printf n > t/y/n", ["d y", "r y/n"]),
            ("mv t/y t/a", ["r a", "- y"]),
            ("mv t/d-x t/d/x", ["d d", "d d/x", "r d/x/f", "- d-x"]),
            ("printf n > t/d/d && printf n > t/d0", ["d d", "r d/d", "r d0"]),
            ("rm t/d/s && ln -s g t/d/s", ["d d", "s d/s"]),
            ("chmod 700 t/empty && chmod 755 t/empty", ["d empty"]),
            ("mkdir -p t/new/er", ["d new", "d new/er"]),
            ("chmod 600 t/p", ["f p"]),
        ])
    func finds(_ command: String, _ expected: [String]) throws {
        let scratch = try Scratch()
        scratch.run(Self.tree)
        let tree = try scratch.directory.directory("t")
        let stamps = try TreeStamps(of: tree)
        try TreeStamps.waitForTick(in: scratch.directory)
        scratch.run(command)
        let (found, now) = try stamps.changes(in: tree)
        let texts = found.map { file in
            "\(file.entry.kind == .whiteout ? "-" : String("\(file.entry.kind)".prefix(1))) \(file.entry.path)"
        }
        #expect(texts == expected)
        #expect(found.map(\.entry).elementsEqual(found.map(\.entry).sorted { $0.precedes($1) }))
        #expect(try now.changes(in: tree).found.isEmpty)
        #expect(try TreeStamps(of: tree).count == now.count)
    }

    @Test func `a tick later is later`() throws {
        let scratch = try Scratch()
        for _ in 0..<20 {
            scratch.run("printf a > file")
            let before = try scratch.directory.status("file").changed
            try TreeStamps.waitForTick(in: scratch.directory)
            scratch.run("printf b > file")
            #expect(try before < scratch.directory.status("file").changed)
        }
    }
}
