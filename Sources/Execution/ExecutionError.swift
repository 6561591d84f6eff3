package import Diagnostics

/// Failures of what commands need before they can run.
package enum ExecutionCode: String, FailureCode {
    case isolation = "run.isolation"
    /// A command needs a user namespace that the process would have had to enter before anything else.
    case outsideUserNamespace = "run.outside-user-namespace"
    /// A network that this machine cannot give.
    case badNetwork = "network.invalid"
    /// A `--volume` that cannot be mounted as it is asked for.
    case badVolume = "volume.invalid"
    /// A command wrote to a read-only mount that is no mount, in a chroot.
    case writtenReadOnly = "run.read-only"
    case corrupt = "store.corrupt"
    case unsupported = "unsupported"
}
package typealias ExecutionError = Failure<ExecutionCode>
