import Glibc
package import OCI
package import Solver
import Synchronization
package import Trees

/// Remembers what the keys of a build were made from and what its steps took, until the build is recorded.
package final class KeyIngredientLog: Sendable {
    private struct State {
        var keys: [Digest: KeyIngredients] = [:]
        var lists: [Digest: FileListing] = [:]
        var costs: [StepID: StepCost] = [:]
    }

    private let state = Mutex(State())

    /// Ends a key.
    package func finish(_ key: consuming KeyHasher) -> Digest {
        let ingredients = key.ingredients
        let files = key.files.take()
        let digest = key.finish()
        state.withLock { state in
            if let files { state.lists[digest] = files } else { state.keys[digest] = ingredients }
        }
        return digest
    }

    /// Notes what the command of a step used. `peakMemory` is in bytes; `isCounted` says that a control group counted it.
    ///
    /// Without a control group the kernel starts the peak of a process with that of its parent, which is this process:
    /// a peak counts only when it is higher.
    package func note(cpu: Duration, peakMemory: UInt64, isCounted: Bool, of step: StepID) {
        var own = rusage()
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &own)
        let isKnown = isCounted || peakMemory > UInt64(max(0, own.ru_maxrss)) * 1024
        state.withLock { state in
            state.costs[step, default: StepCost()].cpu = cpu
            if isKnown { state.costs[step, default: StepCost()].peakMemory = Int64(clamping: peakMemory) }
        }
    }

    /// Notes the bytes of files that a step read and wrote.
    package func note(bytesIn: Int64?, bytesOut: Int64?, of step: StepID) {
        state.withLock { state in
            state.costs[step, default: StepCost()].bytesIn = bytesIn
            state.costs[step, default: StepCost()].bytesOut = bytesOut
        }
    }

    var costs: [StepID: StepCost] { state.withLock { $0.costs } }

    /// The ingredients of the keys.
    var keys: [Digest: KeyIngredients] { state.withLock { $0.keys } }

    /// The lists of the files that went into keys, by the key of the files.
    var lists: [Digest: FileListing] { state.withLock { $0.lists } }
}
