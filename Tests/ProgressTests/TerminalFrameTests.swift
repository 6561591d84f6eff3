import Console
import Solver
import Testing

@testable import Progress

@Suite struct TerminalFrameTests {
    private func frame(
        _ events: [(Int, BuildEvent)], now: Int, columns: Int = 61, rows: Int = 24, colours: Bool = false,
        isFinal: Bool = false
    ) -> [String] {
        var trace = BuildTrace(tailCount: 100)
        for (time, event) in events { _ = trace.apply(event, at: .milliseconds(time)) }
        return TerminalFrame(
            trace: trace, now: .milliseconds(now), size: WindowSize(columns: columns, rows: rows),
            useColours: colours, isFinal: isFinal
        ).render()
    }

    private static let build: [(Int, BuildEvent)] = [
        (0, .start(1, "[internal] load build context")),
        (10, .status(1, "transferring context:", 1_980_000, done: true)),
        (120, .end(1)),
        (130, .start(2, "[1/3] FROM docker.io/library/alpine")), (130, .end(2, .cached)),
        (200, .start(3, "[2/3] RUN make all")),
        (250, .log(3, "one\ntwo\n\u{1b}[31mthree\u{1b}[0m\tx\n")),
        (260, .log(3, "10%\r20%")),
        (300, .start(4, "[other 1/1] COPY a b")),
        (310, .status(4, "copying", 1000, of: 4000)),
        (320, .warn(4, "careful")),
    ]

    @Test func runningBuild() {
        #expect(
            frame(Self.build, now: 3200) == [
                "[+] Building 3.2s (2/4)                       lamina:default",
                " => [internal] load build context                       0.1s",
                " => => transferring context: 1.98MB                     0.0s",
                " => CACHED [1/3] FROM docker.io/library/alpine          0.0s",
                " => [2/3] RUN make all                                  3.0s",
                " => => # one",
                " => => # two",
                " => => # three   x",
                " => => # 20%",
                " => [other 1/1] COPY a b                                2.9s",
                " => => copying 1.00kB / 4.00kB                          2.9s",
                " => => WARN: careful",
            ])
    }

    @Test func endedBuild() {
        let end: [(Int, BuildEvent)] = [
            (4000, .end(3, .failed(StepFailure("exit code: 1")))), (4100, .end(4, .cancelled)),
        ]
        #expect(
            frame(Self.build + end, now: 4200, rows: 4, isFinal: true) == [
                "[+] Building 4.2s (4/4) FINISHED              lamina:default",
                " => [internal] load build context                       0.1s",
                " => => transferring context: 1.98MB                     0.0s",
                " => CACHED [1/3] FROM docker.io/library/alpine          0.0s",
                " => ERROR [2/3] RUN make all                            3.8s",
                " => CANCELED [other 1/1] COPY a b                       3.8s",
                " => => copying 1.00kB / 4.00kB                          3.8s",
                " => => WARN: careful",
            ])
    }

    @Test func coloursTellTheOutcome() {
        let end: [(Int, BuildEvent)] = [
            (4000, .end(3, .failed(StepFailure("exit code: 1")))), (4100, .end(4, .cancelled)),
        ]
        let lines = frame(Self.build + end, now: 4200, colours: true, isFinal: true)
        #expect(lines[1].hasPrefix("\u{1b}[34m => [internal]") && lines[1].hasSuffix("0.1s\u{1b}[0m"))
        #expect(lines[4].hasPrefix("\u{1b}[31m => ERROR"))
        #expect(lines[5].hasPrefix("\u{1b}[33m => CANCELED"))
        let running = frame(Self.build, now: 400, colours: true)
        #expect(running[4].hasPrefix(" => [2/3] RUN make"))
        #expect(running[5] == "\u{1b}[2m => => # one\u{1b}[0m")
    }

    @Test func runningStepsAndOutputComeBeforeEndedOnes() {
        #expect(
            frame(Self.build, now: 3200, rows: 10) == [
                "[+] Building 3.2s (2/4)                       lamina:default",
                " => [2/3] RUN make all                                  3.0s",
                " => => # one",
                " => => # two",
                " => => # three   x",
                " => => # 20%",
                " => [other 1/1] COPY a b                                2.9s",
                " => => copying 1.00kB / 4.00kB                          2.9s",
                " => => WARN: careful",
            ])
        #expect(
            frame(Self.build, now: 3200, rows: 5) == [
                "[+] Building 3.2s (2/4)                       lamina:default",
                " => [2/3] RUN make all                                  3.0s",
                " => [other 1/1] COPY a b                                2.9s",
                " => => WARN: careful",
            ])
    }

    @Test func noLineIsWiderAndNoFrameTallerThanTheWindow() {
        var events = Self.build
        for number in 10..<40 {
            events.append((400, .start(number, "[stage \(number)/40] RUN echo 日本語日本語日本語 and a long tail of words")))
            events.append((410, .log(number, String(repeating: "日本", count: 200) + "\n")))
            if number % 2 == 0 { events.append((500, .end(number))) }
        }
        for columns in [1, 2, 11, 12, 13, 18, 19, 20, 33, 40, 79, 80, 81, 130] {
            for rows in [1, 2, 3, 4, 5, 10, 17, 18, 24, 50] {
                let lines = frame(events, now: 61_234, columns: columns, rows: rows)
                #expect(lines.count <= max(2, rows - 1))
                #expect(lines.allSatisfy { TerminalText.width(of: $0) <= max(1, columns - 1) })
            }
        }
    }

    @Test func emptyBuild() {
        #expect(frame([], now: 0, columns: 20) == ["[+] Building 0.0s ("])
    }
}

@Suite struct TerminalDisplayTests {
    private func display(_ columns: Int = 40, _ rows: Int = 10) -> TerminalDisplay {
        TerminalDisplay(useColours: false) { WindowSize(columns: columns, rows: rows) }
    }

    @Test func framesAreDrawnOverEachOther() {
        var screen = Transcript(display())
        screen.at(0, .start(1, "A"))
        #expect(
            screen.taken() == "\u{1b}[?25l\r[+] Building 0.0s (0/1)  lamina:default\u{1b}[K\n"
                + " => A                              0.0s\u{1b}[K\n\u{1b}[J\u{1b}[?25h")
        // Within a tenth of a second nothing is drawn.
        screen.at(50, .start(2, "B"))
        #expect(screen.taken().isEmpty)
        screen.tick(1000)
        let second = screen.taken()
        #expect(second.hasPrefix("\u{1b}[?25l\r\u{1b}[2A[+] Building 1.0s (0/2)"))
        screen.at(1010, .end(1), .end(2))
        screen.finish(1020)
        let last = screen.taken()
        #expect(last.hasPrefix("\u{1b}[?25l\r\u{1b}[3A[+] Building 1.0s (2/2) FINISHED"))
        #expect(last.hasSuffix("\u{1b}[J\u{1b}[?25h"))
        #expect(screen.writes.count == 3)
    }

    @Test func aFailedBuildLeavesTheOutputOnTheScreen() {
        var screen = Transcript(display())
        screen.at(0, .start(1, "RUN x"), .start(2, "RUN y"))
        for line in 1...150 { screen.at(100, .log(1, "line \(line)\u{1b}[2J\n")) }
        screen.at(200, .end(1, .failed(StepFailure("exit code: 1"))))
        _ = screen.taken()
        screen.finish(300, failed: true)
        let text = screen.text
        #expect(text.contains(" => CANCELED RUN y"))
        #expect(text.contains("------\n > RUN x:\n0.100 line 51\n"))
        #expect(text.hasSuffix("0.100 line 150\n------\n"))
    }

    @Test func hostileOutputIsHarmless() {
        var screen = Transcript(display(60))
        screen.at(0, .start(1, "\u{1b}[2JA"))
        screen.at(200, .log(1, "\u{1b}[10A\u{1b}]0;x\u{7}\u{0}text"))
        screen.at(
            400, .output(StepID(number: 1), .standardOutput, [0xff, 0x0a] + [UInt8](repeating: 0x78, count: 10 << 20)))
        screen.finish(600)
        // What is left of escape sequences is the display's own.
        var rest = screen.text[...]
        while let escape = rest.firstIndex(of: "\u{1b}") {
            rest = rest[rest.index(after: escape)...]
            let own = ["[?25l", "[?25h", "[K", "[J", "[2A", "[3A", "[4A"].contains { rest.hasPrefix($0) }
            #expect(own, "\(rest.prefix(8))")
        }
        #expect(screen.text.contains(" => => # text\u{fffd}"))
        #expect(screen.bytes.count < 4000)
    }

    @Test func aNarrowedWindowIsCleared() {
        let width = Box(80)
        var screen = Transcript(TerminalDisplay(useColours: false) { WindowSize(columns: width.value, rows: 24) })
        screen.at(0, .start(1, "A"))
        _ = screen.taken()
        width.value = 40
        screen.tick(200)
        // Two lines of 79 columns have become four rows.
        #expect(screen.text.hasPrefix("\u{1b}[?25l\r\u{1b}[4A"))
    }
}
