import DockerfileSyntax

extension Lowering {
    /// Runs those of our own rules that look at whole stages.
    ///
    /// `stages` are those that will be lowered. What is left in a layer matters only where the layer is shipped: in the
    /// target and what it starts from or, when all stages are checked, in any stage that could be a target.
    func checkAdvice(stages: [Int], target: Int) {
        for index in shipped(among: stages, target: target) {
            for instruction in table.entries[index].instructions {
                guard case .run(let run) = instruction.kind else { continue }
                linter.checkPackageCache(of: run, at: instruction)
            }
        }
        guard linter.givesAdvice else { return }
        for index in stages {
            let entry = table.entries[index]
            linter.checkInstallOrder(of: entry.stage)
            if case .image(let name) = entry.base { linter.checkPinning(ofBase: name, of: entry.stage) }
        }
    }

    /// The target and whatever no other stage needs, with the stages they start from, in file order.
    private func shipped(among stages: [Int], target: Int) -> [Int] {
        let needed = Set(stages.flatMap { table.entries[$0].requiredStages.map(\.index) })
        var found: Set<Int> = []
        for start in stages where start == target || !needed.contains(start) {
            var next: Int? = start
            while let index = next, found.insert(index).inserted {
                guard case .stage(let base) = table.entries[index].base else { break }
                next = base
            }
        }
        return found.sorted()
    }
}
