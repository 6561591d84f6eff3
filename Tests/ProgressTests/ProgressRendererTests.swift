import Solver
import Synchronization
import Testing

@testable import Progress

/// A value that a test changes under the eyes of what it tests.
final class Box<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) { storage = Mutex(value) }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }

    func update(_ change: (inout Value) -> Void) { storage.withLock { change(&$0) } }
}

@Suite struct ProgressRendererTests {
    @Test(arguments: [
        (ProgressMode.auto, true, ProgressMode.tty), (.auto, false, .plain), (.plain, true, .plain),
        (.tty, false, .tty),
        (.quiet, true, .quiet), (.rawjson, true, .rawjson), (.silent, false, .silent),
    ])
    func autoDependsOnTheTerminal(_ mode: ProgressMode, _ isTerminal: Bool, _ expected: ProgressMode) {
        #expect(mode.resolved(isTerminal: isTerminal) == expected)
    }

    @Test func modesHaveTheNamesOfTheFlag() {
        #expect(ProgressMode.allCases.map(\.rawValue) == ["auto", "plain", "tty", "quiet", "rawjson", "none"])
    }

    @Test func eventsOfManyThreadsAreAllShown() async {
        let output = Box<[UInt8]>([])
        let origin = ContinuousClock.now
        let renderer = ProgressRenderer(
            display: PlainDisplay(), clock: { ContinuousClock.now - origin }, tick: .milliseconds(5)
        ) { bytes in output.update { $0 += bytes } }
        let reporter = ProgressReporter(sink: renderer.receive)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let step = reporter.begin("step \(number)")
                    for line in 0..<200 { step.output(.standardOutput, Array("\(number)-\(line)\n".utf8)) }
                    step.finish(.done)
                }
            }
        }
        renderer.finish()
        let lines = String(decoding: output.value, as: UTF8.self).split(separator: "\n")
        for number in 0..<8 {
            let own = lines.compactMap { $0.split(separator: " ").last }.filter { $0.hasPrefix("\(number)-") }
            #expect(own == (0..<200).map { "\(number)-\($0)" })
        }
        #expect(lines.count { $0.contains(" DONE ") } == 8)
    }

    @Test(.timeLimit(.minutes(10))) func theTimerDrawsWhileNothingHappens() async throws {
        let frames = Box(0)
        let origin = ContinuousClock.now
        let renderer = ProgressRenderer(
            display: TerminalDisplay(useColours: false) { nil }, clock: { ContinuousClock.now - origin },
            tick: .milliseconds(20)
        ) { _ in frames.update { $0 += 1 } }
        renderer.receive(.start(1, "sleep"))
        while frames.value < 3 { try await Task.sleep(for: .milliseconds(10)) }
        renderer.finish()
        let count = frames.value
        renderer.receive(.end(1))
        #expect(frames.value == count)
    }

    @Test func quietWritesNothing() {
        let renderer = ProgressRenderer(display: nil, clock: { .zero }, tick: .milliseconds(1)) { _ in
            Issue.record("something was written")
        }
        renderer.receive(.start(1, "A"))
        renderer.finish(error: CancellationError())
    }

    @Test func errorsCancelWhatIsOpen() {
        let output = Box<[UInt8]>([])
        let renderer = ProgressRenderer(display: PlainDisplay(), clock: { .zero }, tick: nil) { bytes in
            output.update { $0 += bytes }
        }
        renderer.receive(.start(1, "A"))
        renderer.finish(error: CancellationError())
        renderer.finish()
        #expect(String(decoding: output.value, as: UTF8.self).hasSuffix("#1 A\n#1 CANCELED\n"))
    }

    @Test(arguments: [(ProgressMode.plain, true), (.tty, true), (.auto, true), (.quiet, false), (.rawjson, false)])
    func whoIsTold(_ mode: ProgressMode, _ isTold: Bool) {
        #expect(mode.showsWarnings == isTold)
    }
}
