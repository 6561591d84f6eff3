import Testing

@testable import Progress

@Suite struct ProgressColoursTests {
    private static func colours(_ text: String) -> ProgressColours {
        ProgressColours { $0 == "BUILDKIT_COLORS" ? text : nil }
    }

    @Test(arguments: [
        ("run=green", "32"), ("run=light-cyan", "96"), ("run=default", "39"), ("run=0,10,255", "38;2;0;10;255"),
        ("error=red:run=white", "37"), ("run=black:run=red", "31"),
    ])
    func colourOfARunningStep(_ text: String, _ expected: String) {
        #expect(Self.colours(text).completed == expected)
    }

    @Test func fieldsOfEachKind() {
        let colours = Self.colours("run=1,2,3:cancel=blue:error=cyan:warning=light-red")
        #expect(colours.completed == "38;2;1;2;3" && colours.cancelled == "34")
        #expect(colours.failed == "36" && colours.warning == "91")
    }

    @Test(arguments: [
        "", "run", "run=", "run=orange", "run=1,2", "run=1,2,300", "run=1,,3", "run=-1,2,3", "light=red", "::=",
        "run=light-", "run=\u{1b}[0m",
    ])
    func whatMeansNothingChangesNothing(_ text: String) {
        #expect(Self.colours(text) == ProgressColours())
    }
}
