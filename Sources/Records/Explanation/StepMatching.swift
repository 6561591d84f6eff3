import Trees

/// Finds for the steps of a build those of a former one that stood in their place.
///
/// In each stage equal instructions are matched in order; of those in between, the ones of the same kind are.
struct StepMatching {
    /// The former step's position by that of the new one.
    private(set) var former: [Int: Int] = [:]

    init(_ new: [RecordedStep], _ old: [RecordedStep]) {
        let (newStages, oldStages) = (Self.stages(of: new), Self.stages(of: old))
        for (stage, steps) in newStages {
            guard let others = oldStages[stage] else { continue }
            match(steps, others)
        }
        matchRenamedStages(newStages, oldStages)
    }

    private typealias Element = (position: Int, kind: RecordedStep.Kind, title: StepTitle)

    private static func stages(of steps: [RecordedStep]) -> [String: [Element]] {
        var stages: [String: [Element]] = [:]
        for (position, step) in steps.enumerated() {
            switch step.kind {
            case .chore, .scratch, .context: continue
            default: break
            }
            let title = StepTitle(step.label)
            // What is fetched belongs to no stage.
            let stage = title.number.isEmpty ? "\0" : title.stage
            stages[stage, default: []].append((position, step.kind, title))
        }
        return stages
    }

    private mutating func match(_ new: [Element], _ old: [Element]) {
        func isEqual(_ one: Element, _ other: Element) -> Bool {
            one.kind == other.kind && one.title.text == other.title.text
        }
        // The lengths of the longest common subsequences of all ends.
        var lengths = [[Int]](repeating: [Int](repeating: 0, count: old.count + 1), count: new.count + 1)
        for i in new.indices.reversed() {
            for j in old.indices.reversed() {
                lengths[i][j] =
                    isEqual(new[i], old[j]) ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
            }
        }
        var (i, j) = (0, 0)
        var gap: (new: [Element], old: [Element]) = ([], [])
        while i < new.count || j < old.count {
            if i < new.count, j < old.count, isEqual(new[i], old[j]) {
                pair(gap.new, gap.old)
                gap = ([], [])
                former[new[i].position] = old[j].position
                (i, j) = (i + 1, j + 1)
            } else if j == old.count || (i < new.count && lengths[i + 1][j] >= lengths[i][j + 1]) {
                gap.new.append(new[i])
                i += 1
            } else {
                gap.old.append(old[j])
                j += 1
            }
        }
        pair(gap.new, gap.old)
        pairMoved(new, old)
    }

    /// Pairs what is left of equal steps: those that moved.
    private mutating func pairMoved(_ new: [Element], _ old: [Element]) {
        let taken = Set(former.values)
        var rest = old.filter { !taken.contains($0.position) }
        for element in new where former[element.position] == nil {
            let like = rest.firstIndex { $0.kind == element.kind && $0.title.text == element.title.text }
            guard let like else { continue }
            former[element.position] = rest.remove(at: like).position
        }
    }

    /// Pairs what stands between two equal steps, in order.
    private mutating func pair(_ new: [Element], _ old: [Element]) {
        var rest = old[...]
        for element in new {
            guard let index = rest.firstIndex(where: { $0.kind == element.kind }) else { continue }
            former[element.position] = rest[index].position
            rest = rest[(index + 1)...]
        }
    }

    /// A stage under a name that is new takes the place of one whose name is gone, if most of it is the same.
    private mutating func matchRenamedStages(_ new: [String: [Element]], _ old: [String: [Element]]) {
        var free = old.keys.filter { new[$0] == nil }.sorted()
        for stage in new.keys.sorted() where old[stage] == nil {
            let texts = Set(new[stage, default: []].map(\.title.text))
            func shared(_ name: String) -> Int { old[name, default: []].count { texts.contains($0.title.text) } }
            guard let best = free.max(by: { shared($0) < shared($1) }), shared(best) * 2 >= texts.count else {
                continue
            }
            free.removeAll { $0 == best }
            match(new[stage, default: []], old[best, default: []])
        }
    }
}
