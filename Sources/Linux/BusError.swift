import CLinux
import Glibc

/// The end of the program when a mapped file has no space on disk for a page that is written to.
package enum BusError {
    /// Has the program print `message` and end with status 1 in that case, where it would be killed by SIGBUS.
    ///
    /// The corresponding system call is `sigaction(2)`. The text is kept for the rest of the program's life.
    package static func endProgram(with message: String) {
        guard let text = unsafe strdup(message) else { return }
        if unsafe linux_end_on_bus_error(text) < 0 { unsafe free(text) }
    }
}
