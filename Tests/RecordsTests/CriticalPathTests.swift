import Records
import Testing
import Trees

@Suite struct CriticalPathTests {
    private func step(
        _ label: String, _ start: Int, _ end: Int, inputs: [Int] = [], ready: Int? = nil,
        outcome: RecordedStep.Outcome = .ran
    ) -> RecordedStep {
        var step = RecordedStep(label: label, kind: .run)
        step.started = .milliseconds(start)
        step.ended = .milliseconds(end)
        step.ready = ready.map { .milliseconds($0) }
        step.inputs = inputs
        step.outcome = outcome
        return step
    }

    private func path(_ steps: [RecordedStep]) -> [String] { CriticalPath(steps).positions.map { steps[$0].label } }

    @Test func theSlowerInputIsOnIt() {
        let steps = [
            step("fast", 10, 20), step("slow", 10, 90), step("both", 90, 95, inputs: [0, 1]), step("load", 0, 10),
            step("export", 95, 99),
        ]
        #expect(path(steps) == ["load", "slow", "both", "export"])
        #expect(CriticalPath(steps).duration(in: steps) == .milliseconds(99))
    }

    @Test func whatTookNoTimePassesOnWhatItWaitedFor() {
        let steps = [
            step("a", 0, 50), step("cached", 60, 61, inputs: [0], outcome: .cached),
            step("b", 61, 70, inputs: [1]), step("other", 0, 60),
        ]
        #expect(path(steps) == ["a", "b"])
    }

    @Test func waitingForATurnCountsFromWhenItWasReady() {
        let steps = [step("a", 0, 10), step("b", 40, 50, inputs: [0], ready: 10), step("other", 0, 40)]
        #expect(path(steps) == ["a", "b"])
    }

    @Test func nothingHasNone() {
        #expect(path([]) == [])
        #expect(path([step("cached", 0, 5, outcome: .cached)]) == [])
    }
}
