import Solver
import Testing

@testable import Progress

@Suite struct PlainDisplayTests {
    static let greeting = "#0 building with \"default\" instance using lamina driver\n\n"

    @Test func oneBuildFromStartToEnd() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "[internal] load build definition from Dockerfile"))
        log.at(5, .status(1, "transferring dockerfile:", 92, done: true))
        log.at(20, .end(1))
        log.at(120, .start(2, "[internal] load build context"))
        log.at(130, .status(2, "transferring context:"))
        log.at(260, .status(2, "transferring context:", 1_980_000, done: true), .end(2))
        log.at(300, .start(3, "[1/3] FROM docker.io/library/alpine"), .end(3, .cached))
        log.at(420, .start(4, "[2/3] RUN make"))
        log.at(536, .log(4, "hello\nwor"))
        log.at(540, .log(4, "ld\r\n"))
        log.tick(640)
        log.at(700, .warn(4, "be careful"))
        log.at(720, .end(4))
        log.at(900, .start(5, "exporting to image"), .status(5, "exporting layers"))
        log.tick(1000)
        log.at(1200, .status(5, "exporting layers", done: true))
        log.at(1210, .end(5))
        log.finish(1210)
        #expect(
            log.text == Self.greeting + """
                #1 [internal] load build definition from Dockerfile
                #1 transferring dockerfile: 92B done
                #1 DONE 0.0s

                #2 [internal] load build context
                #2 transferring context: 1.98MB 0.1s done
                #2 DONE 0.1s

                #3 [1/3] FROM docker.io/library/alpine
                #3 CACHED

                #4 [2/3] RUN make
                #4 0.116 hello
                #4 0.116 world
                #4 WARN: be careful
                #4 DONE 0.3s

                #5 exporting to image
                #5 exporting layers
                #5 exporting layers 0.3s done
                #5 DONE 0.3s

                """)
    }

    @Test func failureShowsTheLastTenLines() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "[2/5] RUN false"), .start(2, "[other 1/2] RUN sleep 9"), .log(2, "still here\n"))
        for line in 1...12 { log.at(line * 1000, .log(1, "line \(line)\n")) }
        log.at(
            12_500, .log(1, "no newline"),
            .end(1, .failed(StepFailure("process \"/bin/sh -c false\" failed:\nexit code: 1"))))
        log.finish(12_600, failed: true)
        #expect(log.text.contains("#2 0.000 still here\n"))
        #expect(
            log.text.hasSuffix(
                """
                #1 12.50 no newline
                #1 ERROR: process "/bin/sh -c false" failed:
                exit code: 1

                #2 [other 1/2] RUN sleep 9
                #2 CANCELED
                ------
                 > [2/5] RUN false:
                4.000 line 4
                5.000 line 5
                6.000 line 6
                7.000 line 7
                8.000 line 8
                9.000 line 9
                10.00 line 10
                11.00 line 11
                12.00 line 12
                12.50 no newline
                ------

                """))
    }

    @Test func failureMessageFollowsTheOutput() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "RUN x"))
        log.at(200, .log(1, "partial"), .end(1, .failed(StepFailure("exit code: 1"))))
        log.finish(400, failed: true)
        #expect(
            log.text == Self.greeting + """
                #1 RUN x
                #1 0.200 partial
                #1 ERROR: exit code: 1
                ------
                 > RUN x:
                0.200 partial
                ------

                """)
    }

    @Test func stepsTakeTurns() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "A"))
        log.at(100, .log(1, "a1\n"))
        log.at(200, .start(2, "B"))
        log.at(300, .log(2, "b1\n"))
        log.at(400, .log(1, "a2\n"))
        // B is quiet but must not be hidden for more than ten seconds.
        for second in 1...9 { log.at(second * 1000, .log(1, "a\n")) }
        #expect(!log.text.contains("B"))
        log.at(10_300, .log(1, "a3\n"))
        log.at(10_500, .log(2, "b2\n"))
        #expect(log.text.contains("#1 10.30 a3\n#1 ...\n\n#2 B\n#2 0.100 b1\n"))
        log.at(11_000, .end(2))
        log.at(11_200, .log(1, "a4\n"), .end(1))
        log.finish(11_300)
        #expect(log.text.hasSuffix("#2 DONE 10.8s\n\n#1 A\n#1 11.20 a4\n#1 DONE 11.2s\n"))
    }

    @Test func numbersAreGivenInOrderOfPrinting() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(7, "seven"))
        log.at(10, .start(3, "three"), .start(5, "five"))
        log.at(20, .end(5))
        log.tick(150)
        log.at(200, .end(7), .end(3))
        log.finish(400)
        #expect(log.text.contains("#1 seven\n#1 ...\n\n#2 five\n#2 DONE 0.0s\n"))
        #expect(log.text.contains("#3 three\n"))
    }

    @Test func statusesAreThrottled() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "FROM x"))
        for step in 0...100 {
            log.at(200 + step * 10, .status(1, "sha256:abc", Int64(step) * 1000, of: 100_000))
            log.tick(200 + step * 10)
        }
        let printed = log.text.split(separator: "\n").count { $0.hasPrefix("#1 sha256:abc") }
        #expect(printed > 5 && printed <= 21)
        #expect(log.text.contains("#1 sha256:abc 0B / 100.00kB\n"))
    }

    @Test func aProgressBarIsOneLineNowAndThen() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "RUN wget"))
        for step in 0..<120 { log.at(100 + step * 100, .log(1, "\r\(step)%")) }
        log.at(12_200, .log(1, "\n"), .end(1))
        log.finish(12_300)
        let lines = log.text.split(separator: "\n").filter { $0.hasPrefix("#1 ") && $0.hasSuffix("%") }
        #expect(lines.count >= 1 && lines.count <= 4)
        #expect(lines.last?.hasSuffix(" 119%") == true)
    }

    @Test func aQuestionWithoutNewlineIsShown() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "RUN read"))
        log.at(100, .log(1, "Continue? "))
        log.tick(5000)
        #expect(!log.text.contains("Continue"))
        log.tick(5200)
        #expect(log.text.hasSuffix("#1 0.100 Continue? "))
        log.at(5400, .log(1, "yes\n"), .end(1))
        log.finish(5600)
        #expect(log.text.hasSuffix("#1 0.100 Continue? yes\n#1 DONE 5.4s\n"))
    }

    @Test func hugeOutputIsPassedOnInBoundedPieces() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "RUN base64"))
        let chunk = String(repeating: "x", count: 1 << 20)
        for _ in 0..<10 { log.at(10, .log(1, chunk)) }
        log.at(20, .log(1, "end\nnext\n"), .end(1))
        log.finish(200)
        let lines = log.bytes.split(separator: 0x0a)
        #expect(lines.map(\.count).max() == "#1 0.010 ".utf8.count + (10 << 20) + "end".utf8.count)
        #expect(lines.contains { $0.elementsEqual("#1 0.020 next".utf8) })
        // Nothing is held back that was not asked for.
        #expect(log.writes.allSatisfy { $0.count < 2 << 20 })
    }

    @Test func aHiddenStepWithTooMuchOutputIsShown() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "A"))
        log.at(10, .start(2, "B"))
        log.at(120, .log(1, "a\n"))
        for _ in 0..<10_000 { log.at(130, .log(2, "a line of some length to fill the buffer\n")) }
        #expect(log.text.contains("#1 ...\n\n#2 B\n"))
        #expect(log.bytes.count > 300_000)
    }

    @Test func hostileOutputCannotControlTheTerminal() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "RUN \u{1b}[2Jevil\nlabel"))
        log.at(
            200,
            .output(
                StepID(number: 1), .standardError,
                Array("\u{1b}[1A\u{1b}[31mred\u{1b}[0m\u{0}\u{1b}]0;t\u{7}".utf8) + [0xff, 0xfe] + Array("\n".utf8)))
        log.at(
            210, .warn(1, "a\u{7}b"), .status(1, "x\u{1b}[3J", done: true),
            .end(1, .failed(StepFailure("\u{1b}[2Joops"))))
        log.finish(400)
        #expect(log.bytes.contains(0xff))
        let escapes = log.text.components(separatedBy: "\u{1b}").dropFirst()
        #expect(escapes.allSatisfy { $0.hasPrefix("[31m") || $0.hasPrefix("[0m") })
        #expect(log.text.contains("#1 RUN evil label\n"))
        #expect(log.text.contains("#1 WARN: ab\n#1 x done\n"))
        #expect(log.text.contains("#1 ERROR: oops\n"))
        #expect(!log.bytes.contains(0) && !log.bytes.contains(7))
    }

    @Test func eventsOfUnknownOrEndedStepsAreDropped() {
        var log = Transcript(PlainDisplay())
        log.at(
            0, .log(9, "x\n"), .end(9), .start(1, "A"), .end(1), .log(1, "late\n"),
            .end(1, .failed(StepFailure("late"))))
        log.finish(200)
        #expect(log.text == Self.greeting + "#1 A\n#1 DONE 0.0s\n")
    }
}

extension String {
    fileprivate func components(separatedBy separator: Character) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }

    /// The Dockerfile is checked after the step that reads it has ended.
    @Test func warningOfAnEndedStep() {
        var log = Transcript(PlainDisplay())
        log.at(0, .start(1, "load"), .end(1))
        log.tick(200)
        log.at(300, .warn(1, "careful"))
        log.finish(400)
        #expect(log.text.hasSuffix("#1 load\n#1 DONE 0.0s\n\n#1 load\n#1 WARN: careful\n#1 DONE 0.0s\n"))
    }
}
