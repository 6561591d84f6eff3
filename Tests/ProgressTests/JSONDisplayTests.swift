import Diagnostics
import OCI
import Solver
import Testing

@testable import Progress

@Suite struct JSONDisplayTests {
    @Test func eachEventIsADocumentOfItsOwn() throws {
        var log = Transcript(JSONDisplay(start: Timestamp(seconds: 1_700_000_000, nanoseconds: 999_000_000)))
        log.at(0, .start(1, "[1/2] FROM <x>"))
        log.at(2, .start(2, "[2/2] RUN y", 1))
        log.at(10, .status(2, "sha256:a", 5, of: 10), .log(2, "hi\u{1b}\n"), .warn(2, "short"))
        log.at(
            1500, .status(2, "sha256:a", 10, of: 10, done: true), .end(1, .cached), .end(2, .failed(StepFailure("bad")))
        )
        let one = Digest(of: "[1/2] FROM <x>1").description
        let two = Digest(of: "[2/2] RUN y2").description
        let start = "2023-11-14T22:13:20.999Z"
        let second = "2023-11-14T22:13:21.001Z"
        let third = "2023-11-14T22:13:21.009Z"
        let end = "2023-11-14T22:13:22.499Z"
        let first = #""digest":"\#(one)","name":"[1/2] FROM \u003cx\u003e","started":"\#(start)""#
        let other = #""digest":"\#(two)","inputs":["\#(one)"],"name":"[2/2] RUN y","started":"\#(second)""#
        let chore = #""id":"sha256:a","vertex":"\#(two)","total":10"#
        let expected: [String] = [
            #"{"vertexes":[{\#(first)}]}"#,
            #"{"vertexes":[{\#(other)}]}"#,
            #"{"statuses":[{\#(chore),"current":5,"timestamp":"\#(third)","started":"\#(third)"}]}"#,
            #"{"logs":[{"vertex":"\#(two)","stream":1,"data":"aGkbCg==","timestamp":"\#(third)"}]}"#,
            #"{"warnings":[{"vertex":"\#(two)","level":1,"short":"c2hvcnQ="}]}"#,
            #"{"statuses":[{\#(chore),"current":10,"timestamp":"\#(end)","started":"\#(third)","completed":"\#(end)"}]}"#,
            #"{"vertexes":[{\#(first),"completed":"\#(end)","cached":true}]}"#,
            #"{"vertexes":[{\#(other),"completed":"\#(end)","error":"bad"}]}"#,
        ]
        #expect(log.text.split(separator: "\n").map(String.init) == expected)
    }

    @Test func aFailureHasItsCodeHintAndPlaceBesideBuildKitsMessage() throws {
        var log = Transcript(JSONDisplay(start: Timestamp(seconds: 0)))
        let range = SourceRange(file: "Dockerfile", lines: 7...8)
        log.at(0, .start(1, "RUN x"))
        log.at(1, .end(1, .failed(StepFailure("bad", code: "run.exit", hint: "Do it.", at: range))))
        let line = try #require(log.text.split(separator: "\n").last)
        let vertex = try JSON(parsing: String(line))["vertexes"]?.array?.first
        #expect(vertex?["error"] == .string("bad"))
        #expect(
            vertex?["errorDetails"]?.text()
                == #"{"code":"run.exit","hint":"Do it.","file":"Dockerfile","line":7}"#)
    }

    @Test func openStepsAreCancelledWithTheBuild() throws {
        var log = Transcript(JSONDisplay(start: Timestamp(seconds: 0)))
        log.at(0, .start(1, "a"), .start(2, "b"), .end(1))
        _ = log.taken()
        log.at(1, .log(1, "late"), .log(9, "unknown"))
        log.finish(5, failed: true)
        let vertex = try JSON(parsing: log.text)["vertexes"]?.array?.first
        #expect(vertex?["name"] == .string("b"))
        #expect(vertex?["error"] == .string("context canceled"))
    }
}
