import Graph

/// How many steps of a build run at once.
///
/// A step that computes in this process gains nothing from more company than there are cores. A command or a download
/// mostly waits, or brings its own idea of how many cores to use: many of them may run.
package struct StepLimits: Hashable, Sendable {
    /// Of all kinds together; with 1 the steps run one after the other, in an order that the graph alone decides.
    package let total: Int
    /// Of those that compute in this process.
    package let computing: Int

    package init(total: Int, computing: Int? = nil) {
        self.total = max(1, total)
        self.computing = max(1, min(computing ?? total, total))
    }

    /// The limits for a machine with so many cores.
    package static func standard(cores: Int) -> StepLimits {
        StepLimits(total: max(16, 4 * cores), computing: max(2, cores))
    }
}

/// Gives steps their turn: of those that wait, the first of the graph.
actor StepTurns {
    private let limits: StepLimits
    private var running = 0
    private var computing = 0
    private var waiting: [Waiting] = []

    private struct Waiting {
        let vertex: VertexID
        let isComputing: Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    init(_ limits: StepLimits) { self.limits = limits }

    func acquire(_ vertex: VertexID, isComputing: Bool) async {
        if waiting.isEmpty, hasPlace(isComputing) { return take(isComputing) }
        await withCheckedContinuation { continuation in
            waiting.append(Waiting(vertex: vertex, isComputing: isComputing, continuation: continuation))
            admit()
        }
    }

    func release(isComputing: Bool) {
        running -= 1
        if isComputing { computing -= 1 }
        admit()
    }

    private func admit() {
        while let next = waiting.indices.filter({ hasPlace(waiting[$0].isComputing) })
            .min(by: { waiting[$0].vertex.index < waiting[$1].vertex.index })
        {
            let step = waiting.remove(at: next)
            take(step.isComputing)
            step.continuation.resume()
        }
    }

    private func hasPlace(_ isComputing: Bool) -> Bool {
        running < limits.total && (!isComputing || computing < limits.computing)
    }

    private func take(_ isComputing: Bool) {
        running += 1
        if isComputing { computing += 1 }
    }
}
