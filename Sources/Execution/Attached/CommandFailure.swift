import Diagnostics
import Sandbox

/// Why a command could not be started, as far as a shell tells one from the other.
package enum CommandFailure: Hashable, Sendable {
    case notFound
    case notExecutable

    /// `nil` when the command is not to blame.
    package init?(_ error: any Error) {
        switch (error as? SandboxError)?.code {
        case .commandNotFound: self = .notFound
        case .commandNotExecutable: self = .notExecutable
        case .invalid, .setup, .network, nil: return nil
        }
    }
}
