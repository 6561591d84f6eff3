package import Diagnostics

/// Why a process could not be run as asked.
package enum SandboxCode: String, FailureCode {
    /// The specification contradicts itself or holds what no system call takes.
    case invalid = "sandbox.invalid"
    /// A step of making the sandbox failed.
    case setup = "sandbox.setup"
    /// The command is not in the root file system.
    case commandNotFound = "sandbox.command-not-found"
    /// The command is there but cannot be executed.
    case commandNotExecutable = "sandbox.command-not-executable"
    /// The private network could not be set up.
    case network = "sandbox.network"
}

package typealias SandboxError = Failure<SandboxCode>
