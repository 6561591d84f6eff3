import Glibc
import SystemPackage

/// Waits until a condition holds; a condition that does not come true in a minute is a failure that names the event.
func wait(for event: String = "what the test waits for", until condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(60)
    repeat {
        if try condition() { return }
        usleep(10_000)
    } while ContinuousClock.now < end
    throw CommandFailure(description: "\(event) did not happen within a minute")
}

/// A `sleep` that outlasts every test, with a number of its own by which its process is found among those of the machine.
func endlessSleep() -> String {
    "sleep \(Int.random(in: 100_000_000..<1_000_000_000))"
}

/// Holds commands of a build until the test lets them go on.
struct Gate {
    private let scratch: Scratch

    init(in scratch: Scratch) throws {
        self.scratch = scratch
        try expectSuccess("mkdir", "-p", scratch.path.appending("gate").string)
    }

    /// The options of `lamina build` that show the gate to commands. They are part of no cache key.
    var options: [String] { ["-v", "\(scratch.path.appending("gate")):/gate:ro"] }

    /// A shell command that ends when the gate is open.
    static let pass = "until [ -e /gate/open ]; do sleep 0.05; done"

    func open() throws { try scratch.write("", to: "gate/open") }
}
