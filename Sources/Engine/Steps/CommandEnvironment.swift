import Contexts
import Execution
import Requests

/// The surroundings that the commands of a build share.
struct CommandEnvironment: Sendable {
    let files: SandboxFiles
    let isolation: StepIsolation
    let request: SandboxRequest
    let steps: StepSettings
    let failureShell: FailureShell?
    let credentials: BuildCredentials
    let copies: ContextCopyPool
    let workingTrees: WorkingTreePool
}
