import Testing

@testable import Containers

@Suite("Signals by name")
struct SignalNumberTests {
    @Test(arguments: [
        ("9", 9), ("TERM", 15), ("SIGTERM", 15), ("sigusr1", 10), ("RTMIN", 34), ("SIGRTMIN+3", 37), ("RTMAX-1", 63),
    ])
    func aNumberOrANameIsASignal(_ text: String, _ number: Int32) throws {
        #expect(try SignalNumber.parse(text) == number)
    }

    @Test(arguments: ["", "0", "65", "-1", "NOPE", "RTMIN+16", "RTMAX-15", "SIG"])
    func anythingElseIsRefused(_ text: String) {
        #expect(throws: ContainersError.self) { try SignalNumber.parse(text) }
    }
}
