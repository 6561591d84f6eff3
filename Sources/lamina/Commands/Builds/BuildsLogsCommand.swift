import ArgumentParser
import Console
import Diagnostics
import Engine
import Progress
import Records
import Solver
import Store

struct BuildsLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a build printed, or the output of one of its steps as it was.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Print what a build that runs prints until it ends.")
    var follow = false

    @Argument(
        help: ArgumentHelp(
            "The build (default: the newest that has ended, with --follow the newest that runs).", valueName: "build"))
    var build: String?

    @Argument(help: ArgumentHelp("The number of a step in the log, or a part of its text.", valueName: "step"))
    var step: String?

    func validate() throws {
        if follow, step != nil { throw ValidationError("--follow shows all steps: leave out the step") }
    }

    func run() async throws {
        try await global.run {
            let history = BuildHistory(store: try global.store(.readOnly))
            if follow, try await follow(history) { return }
            let build = try history.build(build)
            if let step { return try printOutput(of: try find(step, in: build), build, history.store) }
            try replay(build, history.store)
        }
    }

    /// Whether there was a build to follow.
    private func follow(_ history: BuildHistory) async throws -> Bool {
        var display = PlainDisplay()
        let build = try await history.follow(build) { time, event in
            // A reader that has gone ends the command at once; it changes nothing.
            CommandResult.exitIfLost()
            CommandResult.write(event.map { display.receive($0, at: time) } ?? display.tick(at: time))
        }
        guard let build else { return false }
        end(build, &display)
        return true
    }

    private func find(_ text: String, in build: PastBuild) throws -> RecordedStep {
        let shown = build.details.steps.filter { $0.number > 0 }
        let number = Int(text.hasPrefix("#") ? text.dropFirst() : text[...])
        let found = shown.filter { number != nil ? $0.number == number : $0.label.contains(text) }
        guard let first = found.first else {
            throw RecordsError(
                .buildNotFound, "the build '\(build.record.id)' has no step '\(text)'",
                hint: "See 'lamina builds inspect \(build.record.id)' for its steps.")
        }
        guard found.count == 1 else {
            throw RecordsError(
                .buildNotFound, "'\(text)' is in \(found.count) steps of the build '\(build.record.id)'",
                hint: "Give its number: " + found.map { "\($0.number)" }.joined(separator: ", "))
        }
        return first
    }

    private func printOutput(of step: RecordedStep, _ build: PastBuild, _ store: StoreRoot) throws {
        let output = OutputTerminal.standardOutput
        guard var log = try BuildLogReader(of: build.record, in: store) else { return try explainMissing(build) }
        while let piece = try log.next() {
            guard piece.step.number == step.number else { continue }
            // On a terminal what a command wrote must not move the cursor; a file gets it as it was.
            guard output.isTerminal else {
                CommandResult.write(piece.bytes)
                continue
            }
            for (index, line) in piece.bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
                let clean = TerminalText.strippingEscapes(Array(line), keeping: .colours)
                CommandResult.write(index == 0 ? clean : [0x0a] + clean)
            }
        }
    }

    private func explainMissing(_ build: PastBuild) throws {
        guard build.details.steps.contains(where: { $0.outputBytes > 0 }) else { return }
        throw RecordsError(
            .buildNotFound, "the log of the build '\(build.record.id)' is not kept any more",
            hint: "The logs of the newest builds are kept, up to 256 MB.")
    }

    /// Shows the build as `--progress=plain` did.
    private func replay(_ build: PastBuild, _ store: StoreRoot) throws {
        var display = PlainDisplay()
        var events = Self.events(of: build.details.steps)[...]
        func show(until time: Duration?) {
            while let next = events.first, time.map({ next.time <= $0 }) ?? true {
                CommandResult.write(display.receive(next.event, at: next.time))
                events = events.dropFirst()
            }
        }
        if var log = try BuildLogReader(of: build.record, in: store) {
            while let piece = try log.next() {
                show(until: piece.time)
                CommandResult.write(display.receive(.output(piece.step, piece.stream, piece.bytes), at: piece.time))
            }
        }
        show(until: nil)
        end(build, &display)
    }

    /// Shows what is held back, and how the build ended if it has.
    private func end(_ build: PastBuild, _ display: inout PlainDisplay) {
        let hasFailed = ![.succeeded, .running].contains(build.record.status)
        CommandResult.write(display.finish(at: build.duration, failed: hasFailed))
        if let error = build.record.error {
            say("ERROR: failed to build: failed to solve: \(TerminalText.line(error))")
            if let hint = build.failure?.hint { say("hint: \(TerminalText.line(hint))") }
        }
        if build.record.status == .lost { say("The build's process was killed.") }
    }

    private static func events(of steps: [RecordedStep]) -> [(time: Duration, event: BuildEvent)] {
        var events: [(time: Duration, event: BuildEvent)] = []
        for step in steps where step.number > 0 {
            let id = StepID(number: step.number)
            guard let started = step.started else { continue }
            events.append((started, .started(id, label: step.label, inputs: [])))
            guard let ended = step.ended else { continue }
            let outcome: StepOutcome =
                switch step.outcome {
                case .cached, .unchanged: .cached
                case .ran: .done
                case .failed: .failed(step.failure ?? StepFailure(""))
                case .cancelled, .notReached: .cancelled
                }
            events.append((ended, .finished(id, outcome)))
        }
        // A step that took no time ends after it began.
        return events.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map { ($0.element.time, $0.element.event) }
    }
}
