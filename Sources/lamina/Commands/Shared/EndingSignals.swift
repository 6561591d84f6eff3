import Glibc

/// The rule by which SIGHUP, SIGINT, SIGQUIT and SIGTERM end the work of a command.
///
/// The first one cancels the work. Another SIGINT, SIGQUIT or SIGTERM ends the program at once. Another SIGHUP does
/// nothing: a terminal that closes sends one through the kernel and often one through the shell.
struct EndingSignals: Sendable {
    enum Effect: Equatable, Sendable {
        case cancel
        case exit(Int32)
        case nothing
    }

    /// The signal that came first.
    private(set) var first: CInt?

    mutating func receive(_ number: CInt) -> Effect {
        guard [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(number) else { return .nothing }
        guard first != nil else {
            first = number
            return .cancel
        }
        return number == SIGHUP ? .nothing : .exit(ExitStatus.interrupted(by: number).code)
    }
}
