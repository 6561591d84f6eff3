import Diagnostics
import Layers
import Linux
import OCI
import Solver
import Store
import SystemPackage
import Testing
import Trees

@testable import Records

@Suite struct BuildLogTests {
    private let scratch: Scratch
    private let store: StoreRoot

    init() throws {
        scratch = try Scratch()
        store = try StoreRoot(at: scratch.path.appending("store"))
    }

    private func outline(_ id: String = "build") -> BuildOutline {
        var details = BuildDetails()
        details.context = "/c"
        return BuildOutline(
            record: BuildRecord(
                id: id, started: Timestamp(seconds: 100), finished: Timestamp(seconds: 100), name: "app", target: "t",
                status: .running, tags: ["a:1"]),
            details: details)
    }

    /// Makes a build one whose process is gone.
    private func kill(_ id: String) throws {
        let folder = try Directory(opening: store.path.appending("builds/running"))
        let name = try #require(try folder.names().first { $0.text.hasPrefix("\(id).") })
        try folder.rename(name, to: PathBytes("\(id).999999999-1"), in: folder)
    }

    /// Writes pieces to a log, saves it with a build and reads it back.
    private func roundTrip(_ pieces: [BuildLogReader.Piece]) throws -> (pieces: [BuildLogReader.Piece], size: Int64) {
        var writer = try BuildLogWriter(store.builds, outline())
        writer.append(.started(StepID(number: 1), label: "l", inputs: []), at: .zero)
        for piece in pieces { writer.append(.output(piece.step, piece.stream, piece.bytes), at: piece.time) }
        var log = try writer.finish()
        let file = log.kept.take()
        let size = try file?.size() ?? 0
        let record = BuildRecord(
            id: "build", started: Timestamp(seconds: 0), finished: Timestamp(seconds: 1), name: "n",
            status: .succeeded, logSize: size)
        try store.builds.save(record, log: file)
        var read: [BuildLogReader.Piece] = []
        guard var reader = try BuildLogReader(of: record, in: store) else { return ([], size) }
        while let piece = try reader.next() { read.append(piece) }
        return (read, size)
    }

    @Test func whatWasWrittenIsRead() throws {
        let pieces: [BuildLogReader.Piece] = [
            .init(step: StepID(number: 1), stream: .standardOutput, time: .milliseconds(5), bytes: Array("a\n".utf8)),
            .init(step: StepID(number: 70_000), stream: .standardError, time: .seconds(90_000), bytes: [0, 255]),
            .init(step: StepID(number: 1), stream: .standardOutput, time: .zero, bytes: []),
        ]
        #expect(try roundTrip(pieces).pieces == pieces)
    }

    @Test func aRunningBuildIsSeenAndItsRecordTakesItsPlace() throws {
        let history = BuildHistory(store: store)
        var writer = try BuildLogWriter(store.builds, outline())
        writer.append(.started(StepID(number: 1), label: "RUN make", inputs: []), at: .milliseconds(1))
        writer.append(.output(StepID(number: 1), .standardOutput, [1, 2]), at: .milliseconds(2))
        writer.append(.started(StepID(number: 2), label: "COPY", inputs: []), at: .milliseconds(3))
        writer.append(.finished(StepID(number: 2), .cached), at: .milliseconds(4))
        writer.count(cached: 3, of: 70_000)
        let listed = try #require(try history.list().first)
        #expect(listed.id == "build" && listed.status == .running && listed.name == "app" && listed.target == "t")
        #expect(listed.cachedSteps == 3 && listed.totalSteps == 70_000 && listed.tags == ["a:1"])
        let build = try history.build("bu")
        #expect(build.details.context == "/c" && build.details.steps.map(\.label) == ["RUN make", "COPY"])
        #expect(build.details.steps.map(\.outcome) == [.notReached, .cached])
        #expect(build.details.steps[0].outputBytes == 2)
        guard var log = try BuildLogReader(of: build.record, in: store) else { throw CancellationError() }
        #expect(try log.next()?.bytes == [1, 2])
        #expect(try log.next() == nil)
        writer.append(.output(StepID(number: 1), .standardError, [3]), at: .milliseconds(5))
        // A reader goes on where it was.
        #expect(try log.next()?.bytes == [3])
        var finished = try writer.finish()
        var record = build.record
        record.status = .succeeded
        try store.builds.save(record, log: finished.kept.take())
        _ = consume finished
        #expect(try history.list().map(\.status) == [.succeeded])
        #expect(try store.builds.unfinished().isEmpty)
    }

    @Test func aBuildWithoutOutputLeavesNoLog() throws {
        let writer = try BuildLogWriter(store.builds, outline())
        do {
            let finished = try writer.finish()
            let isKept = finished.kept != nil
            #expect(!isKept)
            #expect(try store.builds.unfinished().map(\.isRunning) == [true])
            _ = consume finished
        }
        #expect(try store.builds.unfinished().isEmpty)
    }

    @Test func aLostBuildIsRecordedByTheNextOne() throws {
        let history = BuildHistory(store: store)
        let (first, second) = ("lost", "torn")
        for id in [first, second] {
            var writer = try BuildLogWriter(store.builds, outline(id))
            writer.append(.started(StepID(number: 1), label: "RUN make", inputs: []), at: .zero)
            writer.append(.output(StepID(number: 1), .standardOutput, Array("made\n".utf8)), at: .zero)
            try kill(id)
            // The file has another name now, which is not removed.
            _ = consume writer
        }
        let torn = store.path.appending("builds/running/torn.999999999-1")
        _ = try OwnedDescriptor.open(torn, .writeOnly, options: .truncate)
        #expect(try history.list().map(\.id) == [first] && history.list()[0].status == .lost)
        try history.adoptLost()
        try history.adoptLost()
        #expect(try store.builds.unfinished().isEmpty && history.list().map(\.id) == [first])
        let build = try history.build(first)
        #expect(build.record.status == .lost && build.details.steps.map(\.outcome) == [.cancelled])
        guard var log = try BuildLogReader(of: build.record, in: store) else { throw CancellationError() }
        #expect(try log.next()?.bytes == Array("made\n".utf8))
        #expect(throws: RecordsError.self) { try history.record(second) }
        try store.builds.remove(first)
        #expect(try history.list().isEmpty)
    }

    @Test func aLostBuildCanBeForgottenAndARunningOneCannot() throws {
        let running = try BuildLogWriter(store.builds, outline("running"))
        let lost = try BuildLogWriter(store.builds, outline("lost"))
        try kill("lost")
        _ = consume lost
        try store.builds.remove("running")
        try store.builds.removeAll()
        #expect(try BuildHistory(store: store).list().map(\.id) == ["running"])
        _ = consume running
    }

    private static let failure = StepFailure(
        "exit code: 1", code: "run.exit", hint: "See the log.", at: SourceRange(file: "a/Dockerfile", lines: 3...5))

    @Test(arguments: [failure, StepFailure("a\u{1b}\n\"b\"")])
    func aLogKeepsTheWholeFailure(_ failure: StepFailure) throws {
        var writer = try BuildLogWriter(store.builds, outline())
        writer.append(.started(StepID(number: 1), label: "RUN make", inputs: []), at: .zero)
        writer.append(.finished(StepID(number: 1), .failed(failure)), at: .milliseconds(5))
        let build = try BuildHistory(store: store).build("build")
        #expect(build.details.steps.map(\.failure) == [failure])
        #expect(build.details.steps.map(\.outcome) == [.failed])
        _ = consume writer
    }

    @Test(arguments: [failure, StepFailure("message")]) func aRecordKeepsTheWholeFailure(_ failure: StepFailure) throws
    {
        var details = BuildDetails()
        var step = RecordedStep(label: "RUN make", kind: .run)
        step.outcome = .failed
        step.failure = failure
        details.steps = [step]
        #expect(BuildDetails(decoding: details.encoded)?.steps == [step])
    }

    @Test func aRecordOfAnOlderVersionHasTheMessage() throws {
        let text = #"{"steps":[{"label":"RUN x","kind":"run","outcome":"failed","error":"exit code: 1"}]}"#
        let details = try #require(BuildDetails(decoding: text))
        #expect(details.steps.map(\.failure) == [StepFailure("exit code: 1")])
    }

    @Test func aLongLogIsCompressed() throws {
        let pieces = (0..<3000).map { number in
            BuildLogReader.Piece(
                step: StepID(number: number % 3), stream: .standardOutput, time: .microseconds(number),
                bytes: Array("line \(number) of a long log that says much the same\n".utf8))
        }
        let (read, size) = try roundTrip(pieces)
        #expect(read == pieces)
        #expect(size < 60_000)
    }
}
