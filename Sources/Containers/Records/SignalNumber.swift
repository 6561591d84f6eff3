import Diagnostics
import Glibc

/// The numbers of signals by their names.
package enum SignalNumber {
    private static let names: [String: Int32] = [
        "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ILL": SIGILL, "TRAP": SIGTRAP, "ABRT": SIGABRT, "IOT": SIGABRT,
        "BUS": SIGBUS, "FPE": SIGFPE, "KILL": SIGKILL, "USR1": SIGUSR1, "SEGV": SIGSEGV, "USR2": SIGUSR2,
        "PIPE": SIGPIPE, "ALRM": SIGALRM, "TERM": SIGTERM, "STKFLT": 16, "CHLD": SIGCHLD, "CLD": SIGCHLD,
        "CONT": SIGCONT, "STOP": SIGSTOP, "TSTP": SIGTSTP, "TTIN": SIGTTIN, "TTOU": SIGTTOU, "URG": SIGURG,
        "XCPU": SIGXCPU, "XFSZ": SIGXFSZ, "VTALRM": SIGVTALRM, "PROF": SIGPROF, "WINCH": SIGWINCH, "IO": 29, "POLL": 29,
        "PWR": 30, "SYS": SIGSYS, "RTMIN": 34, "RTMAX": 64,
    ]

    /// The name of a signal, such as `SIGTERM`; the number where it has none.
    package static func name(of number: Int32) -> String {
        // Of two names for one signal, the usual one is the first of the alphabet: ABRT, CHLD, IO.
        names.filter { $0.value == number }.map(\.key).min().map { "SIG\($0)" } ?? "\(number)"
    }

    /// The number that a text means: a number, or a name with or without `SIG`, such as `RTMIN+3`.
    ///
    /// Throws ``ContainersError`` `.badCommand`.
    package static func parse(_ text: String) throws -> Int32 {
        if let number = Int32(text), (1...64).contains(number) { return number }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? upper.dropFirst(3) : upper[...]
        if let number = names[String(name)] { return number }
        if name.hasPrefix("RTMIN+"), let offset = Int32(name.dropFirst(6)), (1...15).contains(offset) {
            return 34 + offset
        }
        if name.hasPrefix("RTMAX-"), let offset = Int32(name.dropFirst(6)), (1...14).contains(offset) {
            return 64 - offset
        }
        throw ContainersError(.badCommand, "invalid signal: \(text)", hint: "Give a number, or a name as in SIGTERM.")
    }
}
