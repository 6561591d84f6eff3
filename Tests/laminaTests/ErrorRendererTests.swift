import Diagnostics
import OCI
import Testing

@testable import lamina

@Suite struct ErrorRendererTests {
    private enum Code: String, FailureCode {
        case inner = "test.inner"
        case outer = "test.outer"
    }

    private static let source = (1...9).map { "RUN step \($0)" }

    private static let failure = Failure(
        Code.outer, "process \"/bin/sh -c false\" did not complete successfully: exit code: 1",
        hint: "Look at the output.", at: SourceRange(file: "Dockerfile", lines: 5...5),
        cause: Failure(Code.inner, "inner"))

    @Test func buildFailureHasExcerptMessageAndHint() {
        let renderer = ErrorRenderer { $0 == "Dockerfile" ? Self.source : nil }
        #expect(
            renderer.lines(for: Self.failure, isBuild: true) == [
                "Dockerfile:5",
                "--------------------",
                "   3 |     RUN step 3",
                "   4 |     RUN step 4",
                "   5 | >>> RUN step 5",
                "   6 |     RUN step 6",
                "   7 |     RUN step 7",
                "--------------------",
                "ERROR: failed to build: failed to solve: "
                    + "process \"/bin/sh -c false\" did not complete successfully: exit code: 1",
                "hint: Look at the output.",
            ])
    }

    @Test func otherFailuresBeginWithTheProgram() {
        #expect(
            ErrorRenderer().lines(for: Failure(Code.inner, "no such image: app"), isBuild: false) == [
                "lamina: no such image: app"
            ])
        #expect(
            ErrorRenderer().lines(for: CancellationError(), isBuild: true).last?.hasSuffix("context canceled") == true)
    }

    @Test func debugAddsCodesAndCauses() {
        let lines = ErrorRenderer(isDebug: true).lines(for: Self.failure, isBuild: false)
        #expect(lines.first?.hasSuffix("exit code: 1 [test.outer]") == true)
        #expect(lines.last == "caused by: inner [test.inner]")
    }

    @Test func messagesAreHarmless() {
        let lines = ErrorRenderer().lines(for: Failure(Code.inner, "no '\u{1b}[2J'\nsecond"), isBuild: false)
        #expect(lines == ["lamina: no ''", "second"])
    }

    @Test func jsonHasWhatThereIs() {
        #expect(
            ErrorRenderer().json(for: Failure(Code.inner, "x", hint: "y")).text()
                == #"{"error":{"code":"test.inner","message":"x","hint":"y"}}"#)
        #expect(ErrorRenderer().json(for: Self.failure)["error"]?["line"] == .integer(5))
    }
}
