package import OCI
import Trees

/// Why each step of a build ran or was answered by the cache, compared with former builds.
package struct Explanation: Sendable {
    /// A build to be compared, by its ID.
    package struct Subject: Sendable {
        package let id: String
        package let started: Timestamp
        package let details: BuildDetails

        package init(id: String, started: Timestamp, details: BuildDetails) {
            self.id = id
            self.started = started
            self.details = details
        }
    }

    /// The findings about one step.
    package struct Finding: Hashable, Sendable {
        /// In ``BuildDetails/steps``.
        package let position: Int
        /// The differences from the former build, the first cause first. A hit may have causes, too: its result
        /// was known from yet another build.
        package fileprivate(set) var causes: [MissCause] = []
        /// The step the difference began with: this one, or one before it.
        package fileprivate(set) var origin: Int?
        /// The build this step was compared with.
        package fileprivate(set) var comparedWith: String?
    }

    package let build: Subject
    /// The nearest former build; `nil` when there is none.
    package let former: Subject?
    /// One for each step of a stage that the target needs, in their order; chores and contexts have none.
    package private(set) var findings: [Finding] = []
    private let candidates: [Subject]
    private let keys: KeySource
    private var matchings: [StepMatching]
    private var known: [Int: Finding] = [:]

    /// `former` are the builds to compare with, the nearest first.
    package init(of build: Subject, former: [Subject], keys: KeySource) {
        self.build = build
        self.former = former.first
        candidates = former
        self.keys = keys
        matchings = former.map { StepMatching(build.details.steps, $0.details.steps) }
        for (position, step) in build.details.steps.enumerated() {
            switch step.kind {
            case .chore, .scratch, .context: continue
            default: findings.append(finding(position))
            }
        }
    }

    /// The origin of the first step that had to run; `nil` when none had to. It may be a hit of another build.
    package var beginning: Finding? {
        guard let miss = findings.first(where: isMiss), let origin = miss.origin else { return nil }
        return findings.first { $0.position == origin }
    }

    /// Whether a step was not answered by the cache. An image is looked at only for whether it is the same.
    package func isMiss(_ finding: Finding) -> Bool {
        let step = build.details.steps[finding.position]
        if step.kind == .image { return !finding.causes.isEmpty && finding.causes != [.firstBuild] }
        return !step.outcome.isHit && step.outcome != .notReached
    }

    // MARK: One step

    private mutating func finding(_ position: Int) -> Finding {
        if let found = known[position] { return found }
        let step = build.details.steps[position]
        var finding = Finding(position: position)
        if let (candidate, formerPosition) = formerStep(of: position) {
            finding.comparedWith = candidates[candidate].id
            compare(step, with: candidate, formerPosition, &finding)
        } else if !step.outcome.isHit {
            finding.causes = [step.ignoresCache ? .noCache : candidates.isEmpty ? .firstBuild : .newStep]
            finding.origin = position
        }
        known[position] = finding
        return finding
    }

    /// The step's like in the nearest build in which it came to an end, else in the nearest that has one.
    private func formerStep(of position: Int) -> (candidate: Int, position: Int)? {
        var fallback: (Int, Int)?
        for (index, candidate) in candidates.enumerated() {
            guard let former = matchings[index].former[position] else { continue }
            let step = candidate.details.steps[former]
            if step.outcome.isHit || step.outcome == .ran { return (index, former) }
            if fallback == nil { fallback = (index, former) }
        }
        return fallback
    }

    private mutating func compare(
        _ step: RecordedStep, with candidate: Int, _ formerPosition: Int, _ finding: inout Finding
    ) {
        let former = candidates[candidate].details.steps[formerPosition]
        let hasRun = !step.outcome.isHit && step.outcome != .notReached
        if step.ignoresCache, hasRun {
            (finding.causes, finding.origin) = ([.noCache], finding.position)
            return
        }
        guard let (old, new) = comparableKeys(former, step), old != new else {
            guard hasRun, step.kind != .image else { return }
            guard former.outcome.isHit || former.outcome == .ran else {
                (finding.causes, finding.origin) = ([.unfinished(former.outcome)], finding.position)
                return
            }
            // The definition is the same; what a rerun of its inputs gave need not be.
            let rerun = step.content == nil || former.content == nil ? rerunInput(of: step) : nil
            let isUnread = step.outcome == .failed && step.content == nil && former.content != nil
            finding.causes = [rerun.map { .follows($0) } ?? (isUnread ? .unread : .recordGone)]
            finding.origin = rerun ?? finding.position
            return
        }
        guard let comparison = KeyComparison(from: old, to: new, keys) else {
            (finding.causes, finding.origin) = ([.unknown], finding.position)
            return
        }
        let before = comparison.baseDiffers ? base(of: step, candidate, former) : nil
        describe(comparison, of: step, before, &finding)
    }

    /// Why a step starts from something else: the step where that began, or a cause of another kind.
    private mutating func base(of step: RecordedStep, _ candidate: Int, _ former: RecordedStep) -> MissCause? {
        guard let base = step.inputs.first else { return nil }
        let found = finding(base)
        if !found.causes.isEmpty { return .follows(found.origin ?? base) }
        guard let formerBase = former.inputs.first, matchings[candidate].former[base] != formerBase else {
            return .follows(base)
        }
        return matchings[candidate].former.values.contains(formerBase)
            ? .reordered : .removed(candidates[candidate].details.steps[formerBase].label)
    }

    private mutating func describe(
        _ comparison: KeyComparison, of step: RecordedStep, _ base: MissCause?, _ finding: inout Finding
    ) {
        var own = comparison.own
        var inherited: [MissCause] = []
        var origins: [Int] = []
        if case .follows(let origin) = base { origins.append(origin) } else if let base { own.append(base) }
        if comparison.filesDiffer {
            let sources = changedSources(of: step)
            origins += sources
            let files = comparison.fileChanges.map { MissCause.files($0) }
            if sources.isEmpty { own.append(files ?? .unknownFiles) } else if let files { inherited.append(files) }
        }
        if let origin = origins.min() { inherited.append(.follows(origin)) }
        var known: Set<MissCause> = []
        finding.causes = (own + inherited).filter { known.insert($0).inserted }
        if finding.causes.isEmpty { finding.causes = [.unknown] }
        finding.origin = own.isEmpty ? origins.min() ?? finding.position : finding.position
    }

    /// The origins of the changes of the steps that files are read from; the context is not one.
    private mutating func changedSources(of step: RecordedStep) -> [Int] {
        let steps = build.details.steps
        var origins: [Int] = []
        for source in Set(step.inputs.dropFirst()).sorted() where steps[source].kind != .context {
            let found = finding(source)
            if !found.causes.isEmpty { origins.append(found.origin ?? source) }
        }
        return origins
    }

    /// The step at which the rerun of an input began.
    private mutating func rerunInput(of step: RecordedStep) -> Int? {
        var origins: [Int] = []
        for input in Set(step.inputs).sorted() {
            let found = finding(input)
            if isMiss(found) { origins.append(found.origin ?? input) }
        }
        return origins.min()
    }

    /// The two keys that say most: of a step that ran those by content if both are known, else those by definition.
    private func comparableKeys(_ former: RecordedStep, _ step: RecordedStep) -> (Digest, Digest)? {
        if step.kind != .image, !step.outcome.isHit, let new = step.content,
            let old = former.content ?? contentKey(under: former.definition)
        {
            return (old, new)
        }
        guard let old = former.definition, let new = step.definition else { return nil }
        return (old, new)
    }

    /// The content key that a step with this definition had when it was looked at.
    private func contentKey(under definition: Digest?) -> Digest? {
        guard let definition else { return nil }
        for candidate in candidates {
            let step = candidate.details.steps.first { $0.definition == definition && $0.content != nil }
            if let step { return step.content }
        }
        return nil
    }
}
