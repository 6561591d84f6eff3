package import Diagnostics
import Linux
package import Sandbox
import Synchronization

/// Opens a shell where a command of a build has failed: once in a build, however many fail.
package final class FailureShell: Sendable {
    private let begin: @Sendable (any AnyFailure) -> Void
    private let isTaken = Mutex(false)

    /// `begin` is called before the shell starts, with what has failed: what shows progress must stop.
    package init(begin: @escaping @Sendable (any AnyFailure) -> Void) { self.begin = begin }

    /// Runs the shell in the sandbox of the command, as it has left it, to the shell's end. Nothing of it is kept.
    ///
    /// `shell` is tried after `/bin/sh`; without any the build just fails.
    package func open(
        in spec: SandboxSpec, _ files: borrowing StepFileSystem, shell: String, after failure: any AnyFailure,
        stopper: SandboxCanceller
    ) throws {
        let isMine = isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
        guard isMine, !stopper.isStopped else { return }
        begin(failure)
        for program in ["/bin/sh", "/bin/bash", shell] {
            try files.prepareForAnotherCommand()
            var spec = spec
            spec.arguments = [program]
            spec.streams = .terminal
            spec.hasInit = true
            if !spec.environment.contains(where: { $0.hasPrefix("TERM=") }) { spec.environment.append("TERM=xterm") }
            let command = AttachedCommand(spec: spec, isInteractive: true, began: { stopper.began($0) })
            do {
                _ = try command.run()
                return
            } catch let error as SandboxError where CommandFailure(error) == .notFound {
                continue
            } catch is AttachedCommand.ReaderGone {
                return
            }
        }
    }
}
