/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
    case exited(code: Int32)
    case signaled(signal: Int32)

    package var isSuccess: Bool { self == .exited(code: 0) }

    /// The code a shell would report: 128 and the number of the signal for one that was killed.
    package var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }

    /// From what `wait4(2)` reports.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(code: (waitStatus >> 8) & 0xff) : .signaled(signal: signal)
    }
}
