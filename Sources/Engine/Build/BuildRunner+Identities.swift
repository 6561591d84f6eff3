import Execution
import Diagnostics
import Linux
import Sandbox

extension BuildRunner {
    /// Adds to the failure of a command what may be the reason for it.
    static func explaining<Value>(_ hostCapabilities: HostCapabilities, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as EngineError where error.code == .runFailed {
            guard hostCapabilities.identities.isSingle, error.hint == nil else { throw error }
            throw EngineError(
                error.code, error.message, hint: hostCapabilities.identities.hint, at: error.location,
                cause: error.cause)
        }
    }
}
