import Diagnostics
import Linux
import OCI
package import Solver
package import Store

// Builds that have no record yet, told from their logs: those that run, and those whose process was killed.

extension BuildHistory {
    /// All builds: those that run first, each kind with the newest first.
    package func list() throws -> [BuildRecord] {
        let unfinished = try store.builds.unfinished().compactMap { try summary(of: $0) }
            .sorted { ($0.status == .running ? 1 : 0, $0.started) > ($1.status == .running ? 1 : 0, $1.started) }
        let ended = try store.builds.list()
        // One that has ended between the two looks is in both.
        let known = Set(ended.map(\.id))
        return unfinished.filter { !known.contains($0.id) } + ended
    }

    /// Makes records of the builds whose processes were killed.
    func adoptLost() throws {
        for build in try store.builds.unfinished() where !build.isRunning {
            guard let lost = try past(build) else {
                try store.builds.discard(build)
                continue
            }
            var record = lost.record
            record.details = lost.details.encoded
            record.logSize = build.size
            try store.builds.adopt(build, as: record)
        }
    }

    /// The unfinished build whose ID begins so; `nil` when there is none.
    func unfinished(_ reference: String) throws -> PastBuild? {
        guard !reference.isEmpty else { return nil }
        let found = try store.builds.unfinished().filter { $0.id.hasPrefix(reference) }
        guard let first = found.first else { return nil }
        let other = try store.builds.find(reference).map { $0.id != first.id } ?? false
        if found.count > 1 || other {
            throw StoreError(
                .ambiguous, "several builds begin with '\(reference)'", hint: "Give more of the reference.")
        }
        return try past(first)
    }

    /// Tells what happens in a build as it happens, until it has ended; `nil` for a build that does not run.
    ///
    /// - Parameters:
    ///   - reference: an ID or the beginning of one; `nil` for the one that began last.
    ///   - receive: gets each event with its time since the start of the build; none when there is nothing new.
    /// - Returns: the build when it has ended, or whatever is known of it then.
    /// - Throws: what `receive` throws, and ``RecordsError`` `.buildNotFound` when the build was forgotten meanwhile.
    package func follow(
        _ reference: String?, _ receive: (Duration, BuildEvent?) throws -> Void
    ) async throws -> PastBuild? {
        guard let id = try running(reference), let build = try store.builds.unfinished().first(where: { $0.id == id }),
            var log = try BuildLogReader(of: build, in: store)
        else { return nil }
        while true {
            // Looked at first: what was written until the end is then in the file.
            let runs = try store.builds.unfinished().contains { $0.id == id && $0.isRunning }
            while let (time, event) = try log.nextEvent() { try receive(time, event) }
            guard runs else { break }
            if let outline = log.outline { try receive(Self.record(of: build, outline).duration, nil) }
            try await Task.sleep(for: .milliseconds(100))
        }
        return try self.build(id)
    }

    private func running(_ reference: String?) throws -> String? {
        if let reference {
            return try unfinished(reference).flatMap { $0.record.status == .running ? $0.record.id : nil }
        }
        return try list().first { $0.status == .running }?.id
    }

    /// The record that can be made of what a log begins with.
    private func summary(of build: UnfinishedBuild) throws -> BuildRecord? {
        guard var log = try BuildLogReader(of: build, in: store) else { return nil }
        _ = try log.nextEvent()
        return log.outline.map { Self.record(of: build, $0) }
    }

    private static func record(of build: UnfinishedBuild, _ outline: BuildOutline) -> BuildRecord {
        var record = outline.record
        record.status = build.isRunning ? .running : .lost
        record.finished = max(record.started, build.isRunning ? Timestamp.now : build.modified)
        return record
    }

    /// All that a log tells.
    private func past(_ build: UnfinishedBuild) throws -> PastBuild? {
        guard var log = try BuildLogReader(of: build, in: store) else { return nil }
        var steps: [StepID: RecordedStep] = [:]
        while let (time, event) = try log.nextEvent() {
            switch event {
            case .started(let id, let label, _):
                if steps[id] != nil { continue }
                var step = RecordedStep(label: label, kind: .chore)
                step.number = id.number
                step.started = time
                steps[id] = step
            case .output(let id, _, let bytes): steps[id]?.outputBytes += Int64(bytes.count)
            case .finished(let id, let outcome): steps[id]?.end(outcome, at: time)
            case .status, .warning: break
            }
        }
        guard let outline = log.outline else { return nil }
        var details = outline.details
        details.steps = steps.values.sorted { $0.number < $1.number }
        if !build.isRunning {
            for index in details.steps.indices where details.steps[index].ended == nil {
                details.steps[index].outcome = .cancelled
            }
        }
        return PastBuild(record: Self.record(of: build, outline), details: details)
    }
}

extension RecordedStep {
    fileprivate mutating func end(_ outcome: StepOutcome, at time: Duration) {
        ended = time
        switch outcome {
        case .done: self.outcome = .ran
        case .cached: self.outcome = .cached
        case .cancelled: self.outcome = .cancelled
        case .failed(let failure): (self.outcome, self.failure) = (.failed, failure)
        }
    }
}
