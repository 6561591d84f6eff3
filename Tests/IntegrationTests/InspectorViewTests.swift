import Glibc
import SystemPackage
import Testing

/// The view of an image in a real terminal, which is one of tmux.
@Suite(
    "The view of an image", .enabled(if: Machine.isRoot, Machine.needsRoot),
    .enabled(if: Machine.has("tmux"), "needs tmux"))
struct InspectorViewTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            #"""
            FROM lamina/base
            COPY data /data
            RUN rm /data/gone; printf two > /data/b; printf x > "$(printf '/data/\033]0;owned\007red')"

            """#)
        try scratch.write("first line\nsecond line\n", to: "context/data/a")
        try scratch.write("old", to: "context/data/b")
        try scratch.write("gone", to: "context/data/gone")
        try lamina.build(context, "-t", "viewed")
    }

    @Test(arguments: [(60, 15), (80, 24), (150, 45)])
    func everyPageIsShownAtEverySize(_ columns: Int, _ rows: Int) throws {
        let terminal = try TMux(scratch, columns: columns, rows: rows, lamina, "analyze viewed")
        try terminal.wait(for: "COPY data /data")
        try terminal.send("Down", "Down", "Tab")
        try terminal.wait(for: "Files at layer 3")
        try terminal.send("/", "data/")
        try terminal.wait(for: "Filter: data/")
        // The name is shown, and did nothing to the terminal.
        try terminal.wait(for: #"\x1b]0;owned\x07red"#)
        try terminal.wait(for: "4B      gone")
        try terminal.send("Enter", "End", "Home", "Down", "Down", "Enter")
        try terminal.wait(for: "second line")
        try terminal.send("x")
        try terminal.wait(for: "00000000  66 69 72 73")
        try terminal.send("q", "Escape", "w")
        try terminal.wait(for: "overwritten")
        try terminal.send("q", "L")
        try terminal.wait(for: "FROM lamina/base")
        try terminal.send("?")
        try terminal.wait(for: "a line up or down")
        try terminal.send("q", "b")
        try terminal.wait(for: "largest first")
        try terminal.send("q")
        try terminal.wait(for: "status 0 echo icanon")
    }

    @Test(arguments: [(60, 15), (80, 24), (150, 45)])
    func twoImagesAreShownSideBySide(_ columns: Int, _ rows: Int) throws {
        let context = try scratch.context("FROM viewed\nRUN rm /data/a; printf three > /data/b\n", named: "second")
        try lamina.build(context, "-t", "other")
        let terminal = try TMux(scratch, columns: columns, rows: rows, lamina, "analyze viewed other")
        try terminal.wait(for: "0 added  1 changed  1 removed")
        try terminal.send("/", "data/b", "Enter", "G", "Enter")
        try terminal.wait(for: "three")
        try terminal.send("q", "o")
        try terminal.wait(for: "two")
        try terminal.send("q", "x")
        try terminal.wait(for: "copied 1 files to ./b")
        #expect(try text(of: scratch.path.appending("b")) == "three")
        try terminal.send("Escape", "U", "Home")
        try terminal.wait(for: "bin")
        try terminal.send("q")
        try terminal.wait(for: "status 0 echo icanon")
    }

    @Test func aFileIsCopiedOutAndTheWindowMayChange() throws {
        let terminal = try TMux(scratch, columns: 100, rows: 30, lamina, "dive viewed")
        try terminal.wait(for: "COPY data /data")
        try terminal.send("Down", "Tab", "/", "data/a", "Enter", "End", "C-e")
        try terminal.wait(for: "copied 1 files to ./a")
        #expect(try text(of: scratch.path.appending("a")) == "first line\nsecond line\n")
        try terminal.send("C-e")
        try terminal.wait(for: "'a' is in the directory already")
        try terminal.resize(columns: 60, rows: 15)
        try terminal.send("Home")
        try terminal.wait(for: "Tab layers")
        #expect(try terminal.screen().lines.allSatisfy { $0.count <= 60 })
        try terminal.resize(columns: 120, rows: 40)
        try terminal.wait(for: "Permission  UID:GID")
        try terminal.send("C-c")
        try terminal.wait(for: "status 0 echo icanon")
    }

    @Test(arguments: [(SIGTERM, 143), (SIGHUP, 129), (SIGINT, 130)])
    func aSignalLeavesTheTerminalAsItWas(_ signal: Int32, _ status: Int) throws {
        let terminal = try TMux(scratch, columns: 80, rows: 24, lamina, "analyze viewed")
        try terminal.wait(for: "COPY data /data")
        try terminal.signal(signal)
        try terminal.wait(for: "status \(status) echo icanon")
        #expect(try !terminal.screen().contains("COPY data"))
    }

    @Test func suspendingGivesTheTerminalBackMeanwhile() throws {
        let terminal = try TMux(scratch, columns: 80, rows: 24, lamina, "analyze viewed", inShell: true)
        try terminal.wait(for: "COPY data /data")
        try terminal.send("Down", "C-z")
        try terminal.wait(for: "Stopped")
        try terminal.send("fg", "Enter")
        try terminal.wait(for: "Layer 2 of 3")
        try terminal.send("q")
        try terminal.wait(for: "$")
    }

    @Test func withoutATerminalThereIsATable() throws {
        #expect(try lamina.succeeding("analyze", "viewed").outputLines.first?.hasPrefix("LAYER") == true)
        let terminal = try TMux(scratch, columns: 200, rows: 50, lamina, "analyze --format table viewed")
        try terminal.wait(for: "RECLAIMABLE")
    }
}

/// A terminal of tmux in which the program runs; it ends with this.
private final class TMux {
    /// The directory of the socket, which must not be gone before the server has ended.
    private let scratch: Scratch
    private let socket: String

    init(
        _ scratch: Scratch, columns: Int, rows: Int, _ lamina: Lamina, _ words: String, inShell: Bool = false
    ) throws {
        guard let binary = Lamina.binary else { throw CommandFailure(description: "there is no lamina") }
        self.scratch = scratch
        socket = scratch.path.appending("tmux-\(UInt32.random(in: 0...UInt32.max))").string
        let script =
            """
            '\(binary)' \(words)
            printf 'status %s %s\\n' $? "$(stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(echo|icanon)' | sort | tr '\\n' ' ')"
            exec sleep 1000
            """
        let file = try scratch.write(script, to: "script-\(columns)x\(rows)-\(UInt32.random(in: 0...UInt32.max)).sh")
        let command = inShell ? "PS1='$ ' exec bash --norc -i" : "exec sh '\(file)'"
        try expectSuccess(
            "tmux", "-S", socket, "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
            command,
            environment: ["LAMINA_ROOT": lamina.root.string, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh", "CI": ""],
            in: scratch.path)
        if inShell {
            try send("'\(binary)' \(words)")
            try send("Enter")
        }
    }

    /// Kills the server and the shell of its terminal: both may have inherited a mask that blocks every other signal.
    deinit {
        let found = try? run("tmux", "-S", socket, "display-message", "-p", "-t", "0", "#{pid} #{pane_pid}").trimmed
        let processes = (found ?? "").split(separator: " ").compactMap { Int32($0) }.filter { $0 > 1 }
        for process in processes { kill(process, SIGKILL) }
    }

    func send(_ keys: String...) throws {
        // Keys that arrive together may be read as one sequence, as ESC and a letter are.
        for key in keys { try expectSuccess("tmux", "-S", socket, "send-keys", "-t", "0", key) }
    }

    func resize(columns: Int, rows: Int) throws {
        try expectSuccess("tmux", "-S", socket, "resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// Sends a signal to the program, which the shell of the terminal has started.
    func signal(_ number: Int32) throws {
        let shell = try expectSuccess("tmux", "-S", socket, "display-message", "-p", "#{pane_pid}").trimmed
        try expectSuccess("pkill", "-\(number)", "-P", shell)
    }

    func screen() throws -> String {
        try expectSuccess("tmux", "-S", socket, "capture-pane", "-p").outputText
    }

    func wait(for text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for _ in 0..<600 {
            if try screen().contains(text) { return }
            usleep(50_000)
        }
        Issue.record("the terminal does not show '\(text)':\n\(try screen())", sourceLocation: sourceLocation)
    }
}
