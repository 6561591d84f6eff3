/// The chain of steps that decided how long a build took: each began when the one before it had ended.
package struct CriticalPath: Sendable {
    /// Positions in ``BuildDetails/steps``, in order of time.
    package private(set) var positions: [Int] = []

    /// Goes back from the step that ended last: to the input that ended last or, where none took any time, to whatever
    /// ended last before the step could begin.
    package init(_ steps: [RecordedStep]) {
        let timed = steps.indices.filter { !steps[$0].outcome.isHit && (steps[$0].wall ?? .zero) > .zero }
        func end(_ position: Int) -> Duration { steps[position].ended ?? .zero }
        var next = timed.max { end($0) < end($1) }
        while let position = next, !positions.contains(position) {
            positions.append(position)
            let start = steps[position].ready ?? steps[position].started ?? .zero
            // Steps that took no time, such as cached ones, pass on what they waited for.
            let inputs = Self.timedInputs(of: position, steps)
            let candidates = inputs.isEmpty ? timed : inputs
            next = candidates.filter { end($0) <= start && $0 != position }.max { end($0) < end($1) }
        }
        positions.reverse()
    }

    private static func timedInputs(of position: Int, _ steps: [RecordedStep]) -> [Int] {
        var found: [Int] = []
        var pending = steps[position].inputs
        var seen = Set(pending)
        while let input = pending.popLast() {
            if let wall = steps[input].wall, wall > .zero, !steps[input].outcome.isHit {
                found.append(input)
            } else {
                for next in steps[input].inputs where seen.insert(next).inserted { pending.append(next) }
            }
        }
        return found
    }

    /// The time that its steps took, those of them that overlap counted once.
    package func duration(in steps: [RecordedStep]) -> Duration {
        var total = Duration.zero
        var covered = Duration.zero
        for position in positions {
            guard let started = steps[position].started, let ended = steps[position].ended else { continue }
            total += max(.zero, ended - max(started, covered))
            covered = max(covered, ended)
        }
        return total
    }
}
