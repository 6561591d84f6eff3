import Glibc
import Testing

@testable import lamina

@Suite struct EndingSignalsTests {
    @Test(
        arguments: [
            ([SIGINT], [.cancel]), ([SIGINT, SIGINT], [.cancel, .exit(130)]),
            ([SIGHUP, SIGHUP, SIGHUP], [.cancel, .nothing, .nothing]), ([SIGHUP, SIGINT], [.cancel, .exit(130)]),
            ([SIGINT, SIGHUP, SIGTERM], [.cancel, .nothing, .exit(143)]), ([SIGUSR1, SIGTERM], [.nothing, .cancel]),
            ([SIGQUIT, SIGQUIT], [.cancel, .exit(131)]),
        ] as [([CInt], [EndingSignals.Effect])])
    func signalsAfterTheFirst(_ numbers: [CInt], _ effects: [EndingSignals.Effect]) {
        var signals = EndingSignals()
        #expect(numbers.map { signals.receive($0) } == effects)
    }
}
