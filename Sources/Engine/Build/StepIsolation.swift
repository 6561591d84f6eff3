import Linux
import Synchronization

/// The isolation of a build's commands, decided when the first of them needs it: nothing is asked of the kernel before.
final class StepIsolation: Sendable {
    /// `nil` leaves the choice to the probe.
    private let asked: Isolation?
    private let known = Mutex<Result<Isolation, any Error>?>(nil)

    init(_ asked: Isolation?) { self.asked = asked }

    /// The rung that commands run on. May block for a moment: to be called in `offload`.
    ///
    /// Throws ``EngineError`` `.isolation` when there is none.
    func rung() throws -> Isolation {
        try known.withLock { known in
            if let known { return known }
            let result = Result { try IsolationLadder.probe().choose(asked) }
            known = result
            return result
        }.get()
    }

    /// Whether files that are unpacked can be given to the owners that their layers name.
    func ownsFiles() -> Bool {
        // Also where there is no command to run: whoever may not change owners only reads the files.
        (try? rung()).map { $0 != .chroot } ?? false
    }
}
