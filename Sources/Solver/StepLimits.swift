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
    /// The steps that compute, and the others; of each the first of the graph is last.
    private var waiting = (computing: [Waiting](), others: [Waiting]())

    private struct Waiting {
        let vertex: VertexID
        let isComputing: Bool
        let continuation: CheckedContinuation<Void, Never>

        /// Keeps the order, by halving.
        func insert(into waiting: inout [Waiting]) {
            var (start, end) = (0, waiting.count)
            while start < end {
                let middle = (start + end) / 2
                if waiting[middle].vertex.index > vertex.index { start = middle + 1 } else { end = middle }
            }
            waiting.insert(self, at: start)
        }
    }

    init(_ limits: StepLimits) { self.limits = limits }

    func acquire(_ vertex: VertexID, isComputing: Bool) async {
        if waiting.computing.isEmpty, waiting.others.isEmpty, hasPlace(isComputing) { return take(isComputing) }
        await withCheckedContinuation { continuation in
            let new = Waiting(vertex: vertex, isComputing: isComputing, continuation: continuation)
            if isComputing { new.insert(into: &waiting.computing) } else { new.insert(into: &waiting.others) }
            admit()
        }
    }

    func release(isComputing: Bool) {
        running -= 1
        if isComputing { computing -= 1 }
        admit()
    }

    private func admit() {
        while let next = [waiting.computing.last, waiting.others.last].compactMap(\.self)
            .filter({ hasPlace($0.isComputing) }).min(by: { $0.vertex.index < $1.vertex.index })
        {
            if next.isComputing { waiting.computing.removeLast() } else { waiting.others.removeLast() }
            take(next.isComputing)
            next.continuation.resume()
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
