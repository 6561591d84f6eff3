import Glibc
import Synchronization
import SystemPackage

/// The result of a command on the standard output; an error while writing it ends the program with status 1.
package enum CommandResult {
    private static let failure = Mutex<Errno?>(nil)

    /// Writes bytes; a failure is kept for ``exitIfLost()``.
    package static func write(_ bytes: [UInt8]) {
        guard let error = OutputTerminal.standardOutput.write(bytes) else { return }
        failure.withLock { $0 = $0 ?? error }
    }

    /// Ends the program with status 1 and a sentence if some of the result could not be written.
    package static func exitIfLost() {
        guard let error = failure.withLock({ $0 }) else { return }
        OutputTerminal.standardError.write("ERROR: the standard output cannot be written: \(error)\n")
        Glibc.exit(1)
    }
}
